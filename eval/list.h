/* SPDX-License-Identifier: Apache-2.0 */
PEER(b1)
PEER(b2)
PEER(b3)
PEER(b4)
PEER(b5)
PEER(b9)
PEER(b10)
