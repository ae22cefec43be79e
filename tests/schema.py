#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""schema: holds what Taximeter writes for programs against data/schema, with Debian's python3-jsonschema.

In a test that runs the program by subprocess.run:

    import schema
    schema.follow()                                  # from now on every finished run is looked at
    ...
    passed, failed = schema.total(passed, failed)    # at the end: what was wrong is printed

Looked at are standard output or -o FILE of every run of a command with -f ndjson (or whose default that is), --stats FILE,
the truth of a simulation and ledgers.  Every line of a stream of up to WHOLE lines is validated; of a longer one the first FIRST of each type, the
last line, and every STEPth between.

    schema.py DIRECTORY            N.args and N.out of many runs, for tests in shell
    schema.py NAME < STREAM        one stream
    schema.py --self-test          a planted member, a missing one and a wrong type must fail, in every object of every schema"""
import copy, csv, io, json, os, re, subprocess, sys

here = os.path.dirname(os.path.realpath(__file__))
folder = os.path.join(here, '..', 'data', 'schema')
WHOLE, FIRST, STEP = 3000, 500, 100
SHOWN = 5
cache = {}
problems = []
lines_seen = streams_seen = 0


def names():
    return sorted(n[:-len('.json')] for n in os.listdir(folder) if n.endswith('.json'))


class Schema:
    """one file of data/schema: a validator for each kind of line, made once"""

    def __init__(self, name):
        from jsonschema import Draft202012Validator
        with open(os.path.join(folder, name + '.json'), encoding='utf-8') as f:
            self.whole = json.load(f)
        Draft202012Validator.check_schema(self.whole)
        self.name = name
        self.kinds = {}
        for row in self.whole['oneOf']:
            kind = row['$ref'].split('/')[-1]
            form = self.whole['$defs'][kind]
            said = form['properties'].get('type', {}).get('const')
            self.kinds[said or '(' + kind + ')'] = Draft202012Validator({**form, '$defs': self.whole['$defs']})

    def kind_of(self, o):
        if not isinstance(o, dict):
            return None
        if o.get('type') in self.kinds:
            return o['type']
        free = [k for k in self.kinds if k[0] == '(']
        return max(free, key=lambda k: len(set(o) & set(self.kinds[k].schema['properties'])), default=None)

    def problems(self, o):
        kind = self.kind_of(o)
        if kind is None:
            return ['a line of a type that data/schema/%s.json does not describe: %s' % (self.name, json.dumps(o)[:200])]
        return ['data/schema/%s.json, %s%s: %s' % (self.name, kind, ''.join('/' + str(p) for p in e.absolute_path), e.message[:300])
                for e in self.kinds[kind].iter_errors(o)]


def schema(name):
    if name not in cache:
        cache[name] = Schema(name)
    return cache[name]


def check(name, text, where):
    """every line of text, or a sample of a long one; problems are remembered, and their number is returned"""
    global lines_seen, streams_seen
    s = schema(name)
    before = len(problems)
    lines = text.splitlines() if name != 'stats' else [text] if text.strip() else []
    counts, versions = {}, 0
    streams_seen += 1
    for n, line in enumerate(lines):
        try:
            o = json.loads(line)
        except ValueError:
            problems.append('%s: line %d is not JSON: %s' % (where, n + 1, line[:200]))
            continue
        versions += isinstance(o, dict) and 'schema_version' in o
        kind = s.kind_of(o)
        counts[kind] = counts.get(kind, 0) + 1
        if len(lines) > WHOLE and n + 1 < len(lines) and counts[kind] > FIRST and n % STEP:
            continue
        lines_seen += 1
        problems.extend('%s: line %d: %s' % (where, n + 1, p) for p in s.problems(o))
    if lines and not versions:
        problems.append('%s: a stream without schema_version' % where)
    return len(problems) - before


def name_of(words):
    """which schema the output of that command line follows; None: none, or it is not for programs"""
    if not words or '--help' in words or '-h' in words:
        return None
    command = words[0]
    asked = any(w in ('ndjson', '-fndjson', '--format=ndjson') for w in words)
    if command == 'events':
        return None if any(w in ('csv', '-fcsv', '--format=csv') for w in words) else 'events'
    if command in ('scan', 'impact', 'coverage', 'rules', 'keys', 'token', 'dump', 'evaluate') and asked:
        return command
    return None


def after(words, *options):
    for i, w in enumerate(words):
        for o in options:
            if w == o and i + 1 < len(words):
                return words[i + 1]
            if o.startswith('--') and w.startswith(o + '='):
                return w[len(o) + 1:]
    return None


def look(words, out, cwd='.'):
    """one run: its words after the program's name, and its standard output as text or bytes (None: not caught)"""
    def text_of(path):
        path = os.path.join(cwd or '.', path)
        if not os.path.isfile(path):
            return None
        with open(path, encoding='utf-8', errors='replace') as f:
            return f.read()
    where = 'taximeter ' + ' '.join(words)[:160]
    name = name_of(words)
    if name:
        path = after(words, '-o', '--output')
        text = out.decode('utf-8', 'replace') if isinstance(out, bytes) else out
        text = text if path in (None, '-') else text_of(path)
        if text and not (text.endswith('\n') or name == 'stats'):
            text = text[:text.rfind('\n') + 1]  # the reader stopped
        if text:
            check(name, text, where)
    folder_of = after(words, '-o', '--output') or ''
    beside = {'scan': [('stats', after(words, '--stats'))], 'events': [('stats', after(words, '--stats'))],
              'simulate': [('truth', after(words, '--truth') or folder_of + '/truth.ndjson')],
              'notice': [('ledger', after(words, '--ledger') or folder_of + '/ledger.ndjson')],
              'dump': [('dump', after(words, '--ledger'))]}
    for of, path in beside.get(words[0] if words else '', []):
        text = text_of(path) if path else None
        if text:
            check(of, text, where + ': ' + path)


def follow():
    ours = subprocess.run

    def run(command, *args, **how):
        p = ours(command, *args, **how)
        words = [os.fspath(w) if not isinstance(w, bytes) else os.fsdecode(w) for w in command] if isinstance(command, (list, tuple)) else []
        at = [i for i, w in enumerate(words) if os.path.basename(w) == 'taximeter']
        if at and p.returncode in (0, 1, 3, 4):
            look(words[at[0] + 1:], p.stdout, how.get('cwd'))
        return p
    subprocess.run = run


def total(passed, failed):
    if not streams_seen:
        return passed, failed
    print('%d lines of %d streams are as data/schema says%s' % (lines_seen, streams_seen, ', but %d times' % len(problems) if problems else ''))
    for p in problems[:SHOWN]:
        print('FAILED (describe new members in data/schema) ' + p)
    return passed + (not problems), failed + bool(problems)


# -- CSV --

def cell(value):
    """a member of an alert as CSV; values are raw JSON texts, except for lists and objects"""
    if value is None:
        return ''
    if isinstance(value, list):
        return '; '.join(cell(v) for v in value)
    if isinstance(value, dict):
        return ', '.join('%s=%s' % (k, cell(v)) for k, v in value.items() if v is not None)
    return {True: 'true', False: 'false'}.get(value, value) if isinstance(value, bool) else value


def agree(table, stream):
    """`scan -f csv` against `scan -f ndjson`: the same alerts, and in each column the value of the member"""
    alerts = [o for o in (json.loads(line, parse_int=str, parse_float=str) for line in stream.splitlines()) if o['type'] == 'alert']
    rows = list(csv.DictReader(io.StringIO(table)))
    wrong = [] if len(rows) == len(alerts) else ['%d rows in CSV, %d alerts in NDJSON' % (len(rows), len(alerts))]
    for row, alert in zip(rows, alerts):
        want = dict(alert)
        for gone in ('type', 'apps'):
            want.pop(gone)
        want['mailboxes'] = [m['upn'] or m['guid'] for m in alert['mailboxes']]
        want['mailbox_guids'] = [m['guid'] or '-' for m in alert['mailboxes']]
        want['reasons'] = [{'family': r['family'], 'p': r['p']} for r in alert.get('reasons', [])]
        wrong += ['%s: NDJSON has %s, which is no column of CSV' % (alert['id'], k) for k in want if k not in row]
        for k, have in row.items():
            text = cell(want.get(k)) if k != 'apps' else have
            same = have == text or have == "'" + text
            if not same and k in ('odds', 'baseline', 'campaign'):  # NDJSON has more digits of numbers above 1000
                same = bool(have) == bool(text)
            if not same:
                wrong.append('%s: %s is %r in CSV, %r in NDJSON' % (alert['id'], k, have[:200], text[:200]))
    return wrong


# -- the schemas themselves --

def objects(form, path=()):
    """every object of a schema, with the way to it"""
    if isinstance(form, dict):
        if form.get('type') in ('object', ['object', 'null']):
            yield path, form
        for k, v in form.items():
            if k not in ('if', 'then', 'allOf'):
                yield from objects(v, path + (k,))
    elif isinstance(form, list):
        for i, v in enumerate(form):
            yield from objects(v, path + (i,))


def instance(form, defs):
    """some value that the schema allows"""
    while '$ref' in form:
        form = defs[form['$ref'].split('/')[-1]]
    if 'const' in form:
        return form['const']
    if 'enum' in form:
        return form['enum'][0]
    kind = form['type'] if isinstance(form['type'], str) else form['type'][0]
    if kind == 'object':
        return {k: instance(v, defs) for k, v in form.get('properties', {}).items()}
    samples = {'^txm': 'txm-0123456789abcdef', '^[0-9]{4}-[0-9]{2}-[0-9]{2}T': '2026-01-06T10:00:00Z', '^[0-9]{4}-[0-9]{2}-[0-9]{2}$': '2026-01-06', '^[0-9a-f]{64}': '0' * 64}
    return {'array': lambda: [instance(form['items'], defs)], 'integer': lambda: form.get('minimum', 0), 'number': lambda: 0.5, 'boolean': lambda: True, 'null': lambda: None,
            'string': lambda: next((v for k, v in samples.items() if form.get('pattern', '').startswith(k)), 'x')}[kind]()


def nested(o, path=()):
    if isinstance(o, dict):
        yield path, o
        for k, v in o.items():
            yield from nested(v, path + (k,))
    elif isinstance(o, list):
        for i, v in enumerate(o):
            yield from nested(v, path + (i,))


def form_at(form, path, defs):
    for step in path:
        while '$ref' in form:
            form = defs[form['$ref'].split('/')[-1]]
        form = form['items'] if isinstance(step, int) else form.get('properties', {}).get(step, form.get('additionalProperties'))
    while '$ref' in form:
        form = defs[form['$ref'].split('/')[-1]]
    return form


def self_test():
    passed = failed = 0

    def so(ok, text):
        nonlocal passed, failed
        passed, failed = passed + bool(ok), failed + (not ok)
        if not ok:
            print('FAILED ' + text)
    def rows(path, macro):
        with open(os.path.join(here, '..', 'src', path), encoding='utf-8') as f:
            return re.findall(r'^%s\(\w+, "(\w+)"' % macro, f.read(), re.M)
    for path, macro, name, kind in (('alert/members.h', 'MEMBER', 'scan', 'alert'), ('decode/notes.h', 'NOTE', 'stats', 'file')):
        described = schema(name).whole['$defs'][kind]['properties']
        for row in rows(path, macro):
            so(row in described, 'src/%s: %s is not described in data/schema/%s.json' % (path, row, name))
    for name in names():
        s = schema(name)
        for path, form in objects(s.whole):
            where = '%s.json at %s' % (name, '/'.join(map(str, path)))
            so(form.get('description'), where + ' has no description')
            foreign = not form.get('properties') and 'as they are' in form.get('description', '')
            so('additionalProperties' in form or foreign, where + ' says nothing of further members')
            for key, row in form.get('properties', {}).items():
                so(row.get('description'), '%s: %s has no description' % (where, key))
                so(key in form['required'] or 'allOf' in form or any(w in row.get('description', '') for w in ('bsent', 'nly with')), '%s: %s may be absent, and when is not said' % (where, key))
        so(any('schema_version' in v.schema['properties'] for v in s.kinds.values()), name + '.json: no line carries schema_version')
        for kind, validator in s.kinds.items():
            good = instance(validator.schema, s.whole['$defs'])
            so(not s.problems(good), '%s.json, %s: its own instance fails: %s' % (name, kind, s.problems(good)[:1]))
            for path, _ in nested(good):
                form = form_at(validator.schema, path, s.whole['$defs'])
                if not form.get('properties'):
                    continue
                for plant in ('member', 'missing', 'type'):
                    bad = copy.deepcopy(good)
                    at = bad
                    for step in path:
                        at = at[step]
                    if plant == 'member':
                        at['planted'] = 1
                    elif plant == 'missing':
                        if not form['required'] or form['required'] == ['type']:
                            continue
                        del at[[k for k in form['required'] if k != 'type'][0]]
                    else:
                        at[[k for k in form['properties'] if k != 'type'][0]] = [[[]]]
                    so(s.problems(bad), '%s.json, %s: %s planted at /%s passes' % (name, kind, plant, '/'.join(map(str, path))))
    print('%d passed, %d failed' % (passed, failed))
    return failed != 0


def main():
    if sys.argv[1:] == ['--self-test']:
        return self_test()
    if len(sys.argv) == 2 and os.path.isdir(sys.argv[1]):
        for f in sorted(os.listdir(sys.argv[1])):
            if f.endswith('.args'):
                stem = os.path.join(sys.argv[1], f[:-len('.args')])
                look(open(f'{sys.argv[1]}/{f}', encoding='utf-8', errors='replace').read().split('\n')[:-1], open(stem + '.out', 'rb').read())
    elif len(sys.argv) == 2:
        check(sys.argv[1], sys.stdin.read(), 'standard input')
    else:
        sys.exit(__doc__)
    return total(0, 0)[1] != 0


if __name__ == '__main__':
    sys.exit(main())
