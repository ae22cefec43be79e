/* SPDX-License-Identifier: Apache-2.0 */
/* truth: see truth.h. */
#include "base/truth.h"

static const char *const yes[] = {
	"true", "1", "yes", "y", "t", "on", "enabled",
	"wahr", "ja", "vrai", "oui", "verdadero", "verdadeiro", "vero", "waar", "prawda", "sand", "sann", "sant", "tosi", "igaz", "pravda",
};
static const char *const no[] = {
	"false", "0", "no", "n", "f", "off", "disabled",
	"falsch", "nein", "faux", "non", "falso", "onwaar", "fa\xc5\x82sz", "FA\xc5\x81SZ", "falsk", "usant", "ep\xc3\xa4tosi", "hamis", "nepravda",
};

static bool is_one_of(struct str s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_nocase(s, (struct str){ words[i], strlen(words[i]) }))
			return true;
	return false;
}

enum truth truth_of(struct str s)
{
	if (str_eq_nocase(s, STR("false"))) /* the IsThrottled of each mail record */
		return TRUTH_NO;
	if (!s.n)
		return TRUTH_ODD;
	s = str_trim(s);
	while (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
		s = str_trim((struct str){ s.p + 1, s.n - 2 });
	if (s.n && s.p[0] == ':') /* -Setting:$true */
		s = str_trim((struct str){ s.p + 1, s.n - 1 });
	if (s.n && s.p[0] == '$')
		s = (struct str){ s.p + 1, s.n - 1 };
	if (is_one_of(s, yes, sizeof yes / sizeof yes[0]))
		return TRUTH_YES;
	return is_one_of(s, no, sizeof no / sizeof no[0]) ? TRUTH_NO : TRUTH_ODD;
}
