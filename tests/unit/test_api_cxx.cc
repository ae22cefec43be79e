// SPDX-License-Identifier: Apache-2.0
// test_api_cxx: the public header is C++ as well, and its functions have C names there.
#include <cstdio>
#include <cstring>

#include "taximeter.h"

int main()
{
	txm_scan *s = txm_scan_new();
	const bool works = s && txm_scan_set_threads(s, 1) == TXM_OK && txm_scan_alert_count(s) == 0;
	const bool named = std::strlen(txm_version()) >= 5;

	txm_scan_free(s);
	std::printf("%d passed, %d failed\n", works + named, 2 - works - named);
	return works && named ? 0 : 1;
}
