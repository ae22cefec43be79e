/* SPDX-License-Identifier: Apache-2.0 */
/* select_int: keys of the sets in a selection, for the code that fills them (select.c, alerts.c). */
#ifndef TXM_IMPACT_SELECT_INT_H
#define TXM_IMPACT_SELECT_INT_H

#include "impact/select.h"

uint64_t select_text_key(struct str s); /* ASCII case folded */
uint64_t select_session_key(struct str text);
uint64_t select_token_key(struct str text);
uint64_t select_client_key(struct str app, struct str client, struct str family);
uint64_t select_addr_key(const struct addr *a);
void select_put(struct selection *s, struct table *t, uint64_t key);
bool select_name(struct selection *s, struct mailbox_name **v, size_t *n, struct str guid, struct str upn);

#endif
