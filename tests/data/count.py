#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""count.py > COUNTS.md: an independent count of the sample data, for tests/cases/real-*; it shares no code with Taximeter.

Slow and simple on purpose: the whole file in memory, Python's own csv and json, no streaming, no sniffing: each file's
reader is chosen here by hand from its ORIGIN.md.  A record is an audit record, a sign-in or a directory event; rows of
other tables of a format that Taximeter reads (Defender) are "other", rows of other logs are "not read".  Items = OperationCount, else the number of FolderItems; a Sync has none."""
import csv, glob, io, json, os, sys

os.chdir(os.path.dirname(os.path.abspath(__file__)))
csv.field_size_limit(1 << 30)


def values(text):  # a sequence of JSON values, blank between them
    at, decoder = 0, json.JSONDecoder()
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        yield from value if isinstance(value, list) else [value]


def rows(path):
    text = open(path, encoding='utf-8-sig', newline='').read()
    if path.endswith('.csv'):
        return list(csv.DictReader(io.StringIO(text)))
    return list(values(text))


def record(row):
    """(class, id, operation, access, items) of a row"""
    if 'AuditData' in row:  # Search-UnifiedAuditLog
        row = row['AuditData'] if isinstance(row['AuditData'], dict) else json.loads(row['AuditData'])
    if 'OfficeWorkload' in row:  # Sentinel
        row = dict(row, Id=row['OfficeId'])
        for k in ('Folders', 'OperationProperties'):
            row[k] = json.loads(row[k]) if row.get(k) else []
    elif 'TargetResources' in row or row.get('category') == 'AuditLogs':  # Entra audit log
        p = row.get('properties', {})
        return 'directory', row.get('Id') or p.get('id') or str(row), row.get('OperationName') or row.get('operationName'), '', 0
    elif row.get('Type') == 'SigninLogs' or row.get('category') == 'SignInLogs':  # Entra sign-ins
        if 'Id' not in row and 'properties' not in row:
            return 'not read', '', 'aggregated sign-ins', '', 0
        return 'signin', row.get('Id') or row['properties']['id'], 'Sign-in', '', 0
    elif 'ActionType' in row:  # Defender: only what carries the whole record is one
        if not row.get('RawEventData'):
            return 'other', row.get('ReportId') or '', row['ActionType'], '', 0
        row = row['RawEventData']
    if 'Operation' not in row:
        return 'not read', '', '', '', 0
    access = items = 0
    if row['Operation'] == 'MailItemsAccessed':
        text = json.dumps(row.get('OperationProperties'))
        access = 'Sync' if 'Sync' in text else 'Bind'
        if access == 'Bind':
            folders = [f for f in row['Folders'] if isinstance(f, dict)]
            items = int(row.get('OperationCount') or sum(len(f.get('FolderItems') or []) for f in folders))
    return 'audit', row['Id'].lower(), row['Operation'], access, items


def line(name, recs):
    distinct = {}
    for r in recs:
        if r[0] not in ('other', 'not read'):
            distinct.setdefault((r[0], r[1]), r)
    d = list(distinct.values())
    mia = [r for r in d if r[2] == 'MailItemsAccessed']
    n_other, n_not = (sum(r[0] == c for r in recs) for c in ('other', 'not read'))
    signins = [r for r in d if r[0] == 'signin' or r[2] in ('UserLoggedIn', 'UserLoginFailed')]
    return (f'| {name} | {len(recs)} | {len(d)} | {len(recs) - n_other - n_not - len(d)} | {len(mia)} | {sum(r[3] == "Bind" for r in mia)} '
            f'| {sum(r[3] == "Sync" for r in mia)} | {sum(r[4] for r in mia)} | {len(signins)} | {n_other} | {n_not} |')


print('Made by `tests/data/count.py > tests/data/COUNTS.md`: an independent count, see there.\n')
print('| file | rows | distinct records | copies | MailItemsAccessed | binds | syncs | items | sign-ins | other | not read |')
print('|---|---|---|---|---|---|---|---|---|---|---|')
everything = []
for folder in ('otrf-security-datasets', 'azure-sentinel-training-lab', 'splunk-security-content', 'det-eng-samples', 'plaso'):
    total = []
    for path in sorted(glob.glob(folder + '/*')):
        if path.split('.')[-1] in ('csv', 'json', 'jsonl', 'ndjson'):
            if 'google' in path:
                recs = [('not read', '', '', '', 0)] * len(rows(path))
            else:
                recs = [record(r) for r in rows(path)]
            total += recs
            print(line(path, recs))
    everything += total
    print(line(f'**{folder}**', total))
print(line('**all five**', everything))
for path in sorted(glob.glob('gws-dataset/*.json')):
    print(line(path, [('not read', '', '', '', 0)] * len(json.load(open(path))['activities'])))
