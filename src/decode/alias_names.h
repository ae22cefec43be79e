/* SPDX-License-Identifier: Apache-2.0 */
/* alias_names: other names of the members in field_names.h, where an export merely renames them.  ALIAS(symbol, text); only names that
 * mean nothing else in any other export. */
/* Entra portal: InteractiveSignIns, NonInteractiveSignIns, ApplicationSignIns, MSISignIns as CSV */
ALIAS(createdDateTime, "Date (UTC)")
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
