/* SPDX-License-Identifier: Apache-2.0 */
/* family: what each kind of evidence looks at, catches and misses.  One row for each of enum family (baseline.h). */
#include "detect/family.h"

#include "detect/baseline.h"

const struct family_doc family_docs[] = {
	[FAMILY_VOLUME] = { "volume", "Items a day through clients that have been in the mailbox for two weeks, against its own weekdays or weekend days.",
		"Bulk reading through the usual client.", "A thousand items a day in a mailbox where that happens; what a new client reads (that is new-client's)." },
	[FAMILY_CLIENT] = { "new-client", "A client not seen in this mailbox for 60 days: how often new ones come to it, how widespread such clients are when they come, and how much "
		"this one brings against what it brings elsewhere.", "A thief's own application, or one that the victim never used.", "The victim's own application; a roll-out's hundredth mailbox." },
	[FAMILY_NET] = { "new-network", "The same for networks. Microsoft's own addresses count as none.", "A stolen session used from elsewhere.",
		"Reading through Graph (the address is Microsoft's); a network that many use." },
	[FAMILY_EDGE] = { "known-client-or-network", "How much a client or network brings that has been here before: against itself, and in its first two weeks against others as young.",
		"A new channel that grows after a quiet first day.", "One that stays small." },
	[FAMILY_ACTOR] = { "new-actor", "An account (and kind of logon) that never read this mailbox.", "A delegate or administrator where none was.", "The owner's own account." },
	[FAMILY_THROTTLE] = { "throttled", "Exchange stopped recording after 1,000 records in a day, where that is rare.", "Flooding the log, by haste or on purpose.",
		"A mailbox, or a tool, that is throttled every day." },
	[FAMILY_BURST] = { "burst", "Items in the fullest ten minutes.", "A script's haste on a day of ordinary volume.", "A slow script." },
	[FAMILY_SPREAD] = { "folders", "Distinct folders whose items were read.", "A crawl through the whole mailbox.", "Reading the inbox alone." },
	[FAMILY_SYNC] = { "sync", "Folders synchronised.", "A whole mailbox copied by an office client, which leaves no counts.", "One folder." },
	[FAMILY_HOUR] = { "hour", "Hours at which people do not read this mailbox.", "A reader in another part of the world.", "Reading in the victim's hours." },
	[FAMILY_PLACES] = { "two-places", "One client alternately from a network that is new to the mailbox and one that is not.", "A second reader besides the owner: a copied session or token.",
		"A thief who reads when the owner does not." },
	[FAMILY_ALONE] = { "client-alone", "A client that came new to the tenant and is still in one mailbox some days later.", "An application made for one victim.",
		"One that is used on many victims (that is a campaign)." },
	[FAMILY_PAIR] = { "new-client-from-new-network", "A client that others use, new to the mailbox, from a network that is new to the mailbox and in which no other mailbox uses that client.",
		"A stolen grant of a known application, used from the thief's machine.", "Applications that run everywhere, such as Outlook." },
	[FAMILY_DRIFT] = { "drift", "Once a week: this week's days against the last three months.", "Growth too slow for any single day.", "What was there from the beginning." },
	[FAMILIES] = { "campaign", "A client, network or actor that is mildly surprising in several mailboxes within three days, against all others of the last 30 days and against what it "
		"has done before.", "The shape of Storm-0558: one client, few networks, many mailboxes, little from each.", "A thief who uses another client and network for each mailbox." },
	[FAMILIES + 1] = { NULL, NULL, NULL, NULL },
};
