/* SPDX-License-Identifier: Apache-2.0 */
/* style: the one style sheet of all reports. */
#ifndef TXM_REPORT_STYLE_H
#define TXM_REPORT_STYLE_H
extern const char report_style[];
#endif
