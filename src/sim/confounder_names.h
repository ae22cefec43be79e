/* SPDX-License-Identifier: Apache-2.0 */
/* innocent events that look like an attack: symbol, name, what it is */
CONFOUNDER(ROLLOUT, "rollout", "two applications that 40 % of the mailboxes take up within ten days")
CONFOUNDER(BIRTH, "birth", "applications new to the tenant, each taken up by a few mailboxes")
CONFOUNDER(ADOPT, "adopt", "a mailbox takes up an application that others use")
CONFOUNDER(NETWORK, "network", "a mailbox moves or travels to another network")
CONFOUNDER(VPN_SWITCH, "vpn-switch", "the office gets another network, for everybody, in a day")
CONFOUNDER(MIGRATION, "migration", "25 mailboxes at a time are read whole, on three days")
CONFOUNDER(SYNC_STORM, "sync-storm", "a fifth of the mailboxes synchronise all folders, on one day")
CONFOUNDER(SWEEP, "sweep", "once a month an administrator searches a tenth of the mailboxes")
CONFOUNDER(OUTLIER, "outlier", "a mailbox reads many times its usual amount, on one day")
CONFOUNDER(VACATION, "vacation", "a mailbox is nearly silent for 3 to 14 days")
CONFOUNDER(TURNOVER, "turnover", "an employee leaves and another is hired")
