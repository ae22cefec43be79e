/* SPDX-License-Identifier: Apache-2.0 */
SINK(text)
SINK(ndjson)
SINK(csv)
