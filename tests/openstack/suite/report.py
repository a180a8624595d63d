"""Checks with their times, counted; the last line is what scripts/test.sh reads: "N passed, N failed"."""
import json
import sys
import time
import traceback

started = time.time()
_passed, _failed = 0, []
phases = {}  # what took how long


def say(text):
    print('%7.1f s  %s' % (time.time() - started, text), flush=True)


def eventually(what, seconds, ask, every=0.5):
    """The first answer of ask() that is true, within so many seconds. An exception is an answer that is not. `what` may be a function: it is asked
    when the time is over, for what it costs to know and how it is then."""
    until = time.time() + seconds
    while True:
        error = ''
        try:
            answer = ask()
        except Exception as e:  # noqa: what is asked is not there yet
            answer, error = None, ': %s: %s' % (type(e).__name__, e)
        if answer:
            return answer
        if time.time() > until:
            raise AssertionError('%s: not within %d s%s' % (what() if callable(what) else what, seconds, error[-1500:]))
        time.sleep(every)


def check(what, test):
    """test() must be true; what it raises is the reason that it is not."""
    begun = time.time()
    try:
        result = test()
        if result is not None and not result:
            raise AssertionError('answered %r' % (result,))
    except Exception as e:  # noqa: counted
        _failed.append(what)
        say('FAIL  %s: %s' % (what, e))
        if not isinstance(e, AssertionError):
            traceback.print_exc()
        return False
    global _passed
    _passed += 1
    say('ok    %s (%.1f s)' % (what, time.time() - begun))
    return True


def skip(what, why):
    """What this machine cannot show; ../../../scripts/test.sh counts the line."""
    print('SKIPPED: %s: %s' % (what, why), flush=True)


class phase:
    """with phase('create'): its time is told at its end, and goes into the report."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.begun = time.time()
        say('----  ' + self.name)

    def __exit__(self, *_):
        phases[self.name] = round(time.time() - self.begun, 1)
        say('----  %s: %.1f s' % (self.name, phases[self.name]))


def story(name, tell):
    """A story ends at its first failure."""
    begun, before = time.time(), len(_failed)
    say('====  ' + name)
    try:
        tell()
    except Exception as e:  # noqa: counted
        _failed.append(name)
        say('FAIL  %s: %s' % (name, e))
        if not isinstance(e, AssertionError):
            traceback.print_exc()
    else:
        global _passed
        _passed += len(_failed) == before
    say('====  %s: %s, %.0f s' % (name, 'ok' if len(_failed) == before else 'FAILED', time.time() - begun))


def end():
    print('seconds: ' + json.dumps(phases))
    for what in _failed:
        print('failed: ' + what)
    print('%d passed, %d failed' % (_passed, len(_failed)), flush=True)
    sys.exit(bool(_failed))
