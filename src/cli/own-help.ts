/** The part of a program's help that is about one command, where the program has several. */

/**
 * @param help blocks that begin with a line `entrain NAME …`, and lines about all of them
 * @returns the blocks of this name with the lines about all; the whole text where none is of this name
 */
export function ownHelp(help: string, name: string): string {
  const own: string[] = [];
  let isOwn = true;
  let found = false;
  for (const line of help.split('\n')) {
    if (line.startsWith('entrain ')) {
      isOwn = new RegExp(`(^|, )entrain ${name}( |$)`).test(line);
      found ||= isOwn;
    } else if (/^\S/.test(line)) isOwn = true;
    if (isOwn) own.push(line);
  }
  return found ? own.join('\n').trim() : help;
}
