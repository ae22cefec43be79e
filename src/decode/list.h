/* SPDX-License-Identifier: Apache-2.0 */
/* formats, in the order in which a record is offered to them: the most particular first */
FORMAT(ecs)
FORMAT(otel)
FORMAT(wrapped)
FORMAT(table)
FORMAT(cloudapp)
FORMAT(office_activity)
FORMAT(diagnostic)
FORMAT(graph_activity)
FORMAT(hunting_signin)
FORMAT(signin)
FORMAT(directory)
FORMAT(audit)
