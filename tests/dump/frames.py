# SPDX-License-Identifier: Apache-2.0
# For gdb: writes to $TXM_FRAMES what a person sees of each thread: frames, their arguments, their locals, one JSON line a thread.
import json, os

import gdb

gdb.execute('set pagination off')
gdb.execute('set print frame-arguments all')
gdb.execute('set max-value-size 4096')
DEPTH = 60


def say(value):
    try:
        return value.format_string(max_elements=16, max_depth=2, symbols=False)
    except (gdb.error, RuntimeError, ValueError, UnicodeError) as e:
        return f'<{type(e).__name__}: {e}>'


def variables(frame):
    arguments, own = {}, {}
    try:
        block = frame.block()
    except RuntimeError:
        return arguments, own
    while block and not (block.is_global or block.is_static):
        for symbol in block:
            if symbol.is_argument or symbol.is_variable:
                try:
                    text = say(symbol.value(frame))
                except (gdb.error, RuntimeError, ValueError) as e:
                    text = f'<{e}>'
                (arguments if symbol.is_argument else own).setdefault(symbol.name, text)
        if block.function:
            break
        block = block.superblock
    return arguments, own


with open(os.environ['TXM_FRAMES'], 'w') as out:
    threads = sorted(gdb.selected_inferior().threads(), key=lambda t: t.num)
    for thread in threads:
        thread.switch()
        frames = []
        try:
            frame = gdb.newest_frame()
            while frame and len(frames) < DEPTH:
                line = frame.find_sal().line
                frames.append([hex(frame.pc()), frame.name() or '?', line, *variables(frame)])
                frame = frame.older()
        except (gdb.error, RuntimeError) as e:
            frames.append(['stopped', str(e), 0, {}, {}])
        out.write(json.dumps({'thread': thread.num, 'frames': frames}) + '\n')
    out.write(json.dumps({'libraries': gdb.execute('info sharedlibrary', to_string=True)}) + '\n')
