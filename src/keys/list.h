/* SPDX-License-Identifier: Apache-2.0 */
GROUP(scope)
GROUP(life)
GROUP(weak)
GROUP(shape)
GROUP(tok)
GROUP(leak)
