import { describe, expect, it } from 'vitest';
import { COMMANDS, loadProgram } from '../../../src/cli/commands.ts';
import { EXAMPLES, exampleText } from '../../../src/cli/examples.ts';
import { HELP_GROUPS } from '../../../src/cli/help-groups.ts';
import { meantFlag } from '../../../src/cli/meant-flag.ts';
import { ownHelp } from '../../../src/cli/own-help.ts';

describe('examples', () => {
  it.each(Object.entries(COMMANDS))(
    'of %s call it, with flags that its help names',
    async (name, command) => {
      const help = ownHelp((await loadProgram(command)).usage(), name);
      const calls = (EXAMPLES[name] ?? []).map(([call]) => call);
      expect(calls.some((call) => call.includes(`entrain ${name}`))).toBe(true);
      for (const call of calls)
        for (const flag of call.match(/ --[a-z-]+/g) ?? [])
          expect([call, help.includes(flag.trim())]).toEqual([call, true]);
      expect(exampleText(name)).toContain(calls[0]);
    },
  );
});

describe('a flag that is not there', () => {
  const unknown = (flag: string): Error =>
    Object.assign(new TypeError(`Unknown option '${flag}'.`), { code: 'ERR_PARSE_ARGS_UNKNOWN_OPTION' });
  const help = 'entrain start\n  --study FILE  a study\n  --once        ends';

  it('is told which one was meant', () => {
    expect(meantFlag(unknown('--stdy'), { name: 'start', help })).toMatchObject({
      code: 'USAGE',
      message: 'There is no flag "--stdy": did you mean "--study"? "entrain help start" lists the flags.',
    });
  });

  it('may have been --help, which no page names', () => {
    expect(meantFlag(unknown('--hlep'), { name: 'start', help })).toMatchObject({
      message: 'There is no flag "--hlep": did you mean "--help"? "entrain help start" lists the flags.',
    });
  });

  it('is named beside the page of the command where none is close; any other fault stays as it is', () => {
    const [far, other] = [unknown('--colour-of-the-sky'), new Error('disk full')];
    expect(meantFlag(far, { name: 'start', help })).toMatchObject({
      code: 'USAGE',
      message: 'Unknown option \'--colour-of-the-sky\'. "entrain help start" lists the flags.',
    });
    expect(meantFlag(other, { name: 'start', help })).toBe(other);
  });
});

describe('entrain help', () => {
  it('names each command once, under one heading', () => {
    const named = HELP_GROUPS.flatMap(([, names]) => names);
    expect(named.toSorted()).toEqual(Object.keys(COMMANDS).toSorted());
  });
});
