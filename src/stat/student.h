/* SPDX-License-Identifier: Apache-2.0 */
/* student: how unlikely is a value so large?  The natural logarithm of the upper tail of Student's t, so that one in
 * 1e90 is still a number.  Relative error of the logarithm below 1e-12 for 0 <= t <= 1000, 4 <= nu <= 64. */
#ifndef TXM_STAT_STUDENT_H
#define TXM_STAT_STUDENT_H

double student_ln_tail(double t, double nu); /* ln P(T >= t); 0 for t = -infinity, never NaN for finite t */

#endif
