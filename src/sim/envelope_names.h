/* SPDX-License-Identifier: Apache-2.0 */
/* how records are wrapped: symbol, name, file extension */
ENVELOPE(NDJSON, "ndjson", "ndjson")
ENVELOPE(ARRAY, "array", "json")
ENVELOPE(CSV, "csv", "csv")
ENVELOPE(PORTAL, "portal", "csv")
ENVELOPE(GRAPH, "graph", "json")
ENVELOPE(OFFICE, "office", "ndjson")
ENVELOPE(CLOUDAPP, "cloudapp", "ndjson")
ENVELOPE(EVENTHUB, "eventhub", "ndjson")
