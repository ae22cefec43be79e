/* SPDX-License-Identifier: Apache-2.0 */
/* allow: published test keys by their SubjectPublicKeyInfo, each with a reason and an end. */
#include "base/published.h"
#include "dump/dump.h"

const char *dump_allowed(const uint8_t spki[32], int64_t today)
{
	return published_source(spki, today);
}
