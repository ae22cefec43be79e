/* SPDX-License-Identifier: Apache-2.0 */
/* alias_names: other names of the members in field_names.h, where an export merely renames them.  ALIAS(symbol, text); only names that
 * mean nothing else in any other export. */
/* Entra portal: InteractiveSignIns, NonInteractiveSignIns, ApplicationSignIns, MSISignIns as CSV */
ALIAS(createdDateTime, "Date (UTC)")
ALIAS(createdDateTime, "Date") /* "Date (local)": its zone is handled apart */
ALIAS(Id, "Request ID")
ALIAS(userPrincipalName, "Username")
ALIAS(AppId, "Application ID")
ALIAS(AppId, "Application ID ")
ALIAS(servicePrincipalId, "Service principal ID")
ALIAS(servicePrincipalName, "Service principal name")
ALIAS(ipAddress, "IP address")
ALIAS(ResultType, "Sign-in error code")
ALIAS(UniqueTokenIdentifier, "Unique token identifier")
ALIAS(SessionId, "Session ID")
ALIAS(DeviceId, "Device ID")
ALIAS(resourceTenantId, "Resource tenant ID")
ALIAS(managedIdentityType, "Managed Identity type")
/* the next page */
ALIAS(odata_nextLink, "odata.nextLink")
ALIAS(odata_nextLink, "nextLink")
ALIAS(odata_nextLink, "@nextLink")
ALIAS(odata_nextLink, "NextPageUri")
ALIAS(odata_nextLink, "NextPageUrl")
/* objects of a sign-in flattened into its row */
ALIAS(ResultType, "status.errorCode")
ALIAS(ResultType, "status_errorCode")
ALIAS(DeviceId, "deviceDetail.deviceId")
ALIAS(DeviceId, "deviceDetail_deviceId")
/* names with blanks, as Power Query and people write them */
ALIAS(AuditData, "Audit Data")
ALIAS(CreationDate, "Creation Date")
