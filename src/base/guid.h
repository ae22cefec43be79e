/* SPDX-License-Identifier: Apache-2.0 */
/* guid: 16 bytes and their texts.  Bytes are kept in the order of the text (not .NET's memory order). */
#ifndef TXM_BASE_GUID_H
#define TXM_BASE_GUID_H

#include "base/str.h"

#define GUID_TEXT_SIZE 37

/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", any case, braces allowed */
bool guid_parse(struct str s, uint8_t ret[16]);
/* lower case, NUL-terminated; returns out */
const char *guid_format(const uint8_t g[16], char out[GUID_TEXT_SIZE]);

/* A token id (uti claim): 22 base64url characters = 16 bytes in .NET's order = the GUID of the sign-in (audit log
 * reference, "Decoding the uti").  Also the older 48-character form, base64 of the GUID's text, and a plain GUID.
 * False: not such an id; keep the text as opaque, compared byte by byte. */
bool guid_from_token_id(struct str s, uint8_t ret[16]);
/* the 22 characters back from a GUID */
const char *guid_to_token_id(const uint8_t g[16], char out[GUID_TEXT_SIZE]);

#endif
