import { describe, expect, it } from 'vitest';
import { stoppedText } from '../../../../src/cli/start/exit-message.ts';
import { emptyView } from '../../../../src/cli/terminal/view-state.ts';

const where = { run: 'demo', folder: 'runs/demo' };

describe('the message after Ctrl-C', () => {
  it('says how far the run came and how to continue it', () => {
    expect(stoppedText({ ...emptyView('demo'), finished: 18, episodes: 30 }, where)).toBe(
      'stopped at 18 of 30 episodes; recorded in runs/demo; the same command with --run demo goes on',
    );
    expect(stoppedText(emptyView('demo'), where)).toContain('stopped before the first episode');
  });

  it('names the command that gives the last figures if the run itself was over', () => {
    const over = { ...emptyView('demo'), finished: 30, episodes: 30, ended: { failed: false } as const };
    expect(stoppedText(over, where)).toContain('`entrain measure sync-r2 --run runs/demo` scores all of it');
  });
});
