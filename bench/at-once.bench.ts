/** Several dialogues in one pass, of the largest shipped model. */
import { measureAtOnce, NOTES } from './model/at-once-rows.ts';
import { largestModel } from './model/subjects.ts';

export const title = 'Many conversations in one pass';

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const subject = await largestModel();
  const effort = { rounds: 5, counts: [1, 2, 4, 8, 16] };
  return { table: subject ? await measureAtOnce(subject, effort) : [], notes: NOTES };
}
