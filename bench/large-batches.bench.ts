/** Several dialogues in one pass, of a model with more than 100 M parameters. */
import { measureAtOnce, NOTES } from './model/at-once-rows.ts';
import { largeModel } from './model/subjects.ts';

export const title = 'Many conversations in one pass of a large model';

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  return { table: await measureAtOnce(await largeModel(), { rounds: 3, counts: [1, 4, 8] }), notes: NOTES };
}
