/* SPDX-License-Identifier: Apache-2.0 */
/* mail_rights: which permissions open mail.  Ids are Microsoft's, of Graph and of Exchange Online; names are matched as
 * whole words, so that a scope unknown today ("Mail.Something.New") is still seen as one on mail. */
#ifndef TXM_DETECT_MAIL_RIGHTS_H
#define TXM_DETECT_MAIL_RIGHTS_H

#include "base/guid.h"

struct mail_right {
	struct str name;
	bool application; /* of the application itself, all mailboxes; else on behalf of a user */
	bool reads;       /* sending alone reads nothing */
};

static const struct {
	const char *id, *name;
	bool application, reads;
} mail_right_ids[] = {
	{ "810c84a8-4a9e-49e6-bf7d-12d183f40d01", "Mail.Read", true, true },
	{ "e2a3a72e-5f79-4c64-b1b1-878b674786c9", "Mail.ReadWrite", true, true },
	{ "6be147d2-ea4f-4b5a-a3fa-3eab6f3c140a", "Mail.ReadBasic", true, true },
	{ "693c5e45-0940-467d-9b8a-1022fb9d42ef", "Mail.ReadBasic.All", true, true },
	{ "e118f1da-5c1c-46cf-bff6-8858d786f46f", "Mail-Advanced.ReadWrite.All", true, true },
	{ "7d9f353d-a7bd-4fbb-822a-26d5dd39a3ce", "MailboxItem.Read.All", true, true },
	{ "937550e9-33a3-494b-88ae-d9cd394b1fbb", "MailboxItem.Export.All", true, true },
	{ "76577085-e73d-4f1d-b26a-85fb33892327", "MailboxItem.ImportExport.All", true, true },
	{ "b633e1c5-b582-4048-a93e-9f11b44c7e96", "Mail.Send", true, false },
	{ "570282fd-fa5c-430d-a7fd-fc8dc98a9dca", "Mail.Read", false, true },
	{ "024d486e-b451-40bb-833d-3e66d98c5c73", "Mail.ReadWrite", false, true },
	{ "9769c687-087d-48ac-9cb3-c37dde652038", "EWS.AccessAsUser.All", false, true },
	{ "3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5", "EWS.AccessAsUser.All", false, true },
	{ "652390e4-393a-48de-9484-05f9b1212954", "IMAP.AccessAsUser.All", false, true },
	{ "d7b7f2d9-0f45-4ea1-9d42-e50810c06991", "POP.AccessAsUser.All", false, true },
	{ "dc890d15-9560-4a4c-9b7f-a736ec74ec40", "full_access_as_app", true, true },
	{ "5e5addcd-3e8d-4e90-baf5-964efab2b20a", "IMAP.AccessAsApp", true, true },
	{ "cb842b43-da6e-4506-86fe-bb12199c656d", "POP.AccessAsApp", true, true },
};

/* The next word of a text: letters, digits and . _ - */
static inline bool next_word(struct str *text, struct str *ret)
{
	size_t i = 0, start;
#define IS_WORD(c) (((c) >= '0' && (c) <= '9') || ((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z') || (c) == '.' || \
		    (c) == '_' || (c) == '-')
	while (i < text->n && !IS_WORD(text->p[i]))
		i++;
	start = i;
	while (i < text->n && IS_WORD(text->p[i]))
		i++;
#undef IS_WORD
	*ret = (struct str){ text->p + start, i - start };
	*text = (struct str){ text->p + i, text->n - i };
	return ret->n > 0;
}

/* Is this word a permission on mail, by id or by name?  by_application: names in this text are of the application kind. */
static inline bool mail_right(struct str word, bool by_application, struct mail_right *ret)
{
	for (size_t i = 0; word.n == 36 && i < sizeof mail_right_ids / sizeof *mail_right_ids; i++)
		if (str_eq_nocase(word, str_of(mail_right_ids[i].id))) {
			*ret = (struct mail_right){ str_of(mail_right_ids[i].name), mail_right_ids[i].application,
						    mail_right_ids[i].reads };
			return true;
		}
	static const char *const full[] = { "EWS.AccessAsUser.All", "EAS.AccessAsUser.All", "IMAP.AccessAsUser.All",
		"POP.AccessAsUser.All", "full_access_as_user", "full_access_as_app", "IMAP.AccessAsApp", "POP.AccessAsApp" };
	bool is_app_name = str_ends_nocase(word, STR("AsApp")) || str_ends_nocase(word, STR("as_app"));
	*ret = (struct mail_right){ word, by_application || is_app_name, true };
	for (size_t i = 0; i < sizeof full / sizeof *full; i++)
		if (str_eq_nocase(word, str_of(full[i])))
			return true;
	ret->reads = !str_starts_nocase(word, STR("Mail.Send"));
	return word.n < 64 && (str_starts_nocase(word, STR("Mail.")) || str_starts_nocase(word, STR("MailboxItem.")) ||
			       str_starts_nocase(word, STR("Mail-Advanced."))) && word.p[word.n - 1] != '.';
}

#endif
