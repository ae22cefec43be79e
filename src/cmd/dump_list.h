/* SPDX-License-Identifier: Apache-2.0 */
ACTION(scan)
ACTION(redact)
ACTION(verify)
ACTION(ledger)
ACTION(watch)
ACTION(filter)
ACTION(install)
ACTION(uninstall)
