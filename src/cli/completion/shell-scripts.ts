/**
 * Completion scripts for bash, zsh and fish. They hold all words themselves, so that a Tab starts no program; runs are
 * the folders in `runs`.
 */
import type { CommandWords, FlagWords, Values } from './command-words.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function completionScript(shell: Shell, commands: readonly CommandWords[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(commands);
    case 'zsh':
      return zshScript(commands);
    case 'fish':
      return fishScript(commands);
  }
}

const long = ({ name }: FlagWords): string => `--${name}`;

/** A word as a shell reads it whole. */
const quoted = (text: string): string => `'${text.replaceAll("'", '’')}'`;

function bashValues(values: Values): string {
  if (values === 'file') return 'COMPREPLY=($(compgen -f -- "$cur"))';
  if (values === 'folder') return 'COMPREPLY=($(compgen -d -- "$cur"))';
  if (values === 'run') return 'COMPREPLY=($(compgen -W "$(ls runs 2>/dev/null)" -- "$cur"))';
  return values === 'nothing' ? 'COMPREPLY=()' : `COMPREPLY=($(compgen -W "${values.join(' ')}" -- "$cur"))`;
}

function bashScript(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const values = commands.flatMap(({ name, flags }) =>
    flags.flatMap((flag) =>
      flag.values === undefined ? [] : `    "${name} ${long(flag)}") ${bashValues(flag.values)}; return ;;`,
    ),
  );
  const words = commands.map(({ name, flags, subcommands, operand }) => {
    const all = `COMPREPLY=($(compgen -W "${flags.map(long).join(' ')}" -- "$cur"))`;
    const first =
      subcommands.length > 0
        ? `if [ "$COMP_CWORD" -eq 2 ]; then COMPREPLY=($(compgen -W "${subcommands.join(' ')}" -- "$cur")); return; fi; `
        : '';
    return `    ${name}) ${first}case "$cur" in -*) ${all} ;; *) ${bashValues(operand)} ;; esac ;;`;
  });
  return [
    '# entrain completion bash: in ~/.bashrc, source <(entrain completion bash)',
    '_entrain() {',
    '  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} name=${COMP_WORDS[1]}',
    `  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${names} help" -- "$cur")); return; fi`,
    '  case "$name $prev" in',
    ...values,
    '  esac',
    '  case "$name" in',
    ...words,
    `    help) COMPREPLY=($(compgen -W "${names}" -- "$cur")) ;;`,
    '  esac',
    '}',
    'complete -o filenames -F _entrain entrain',
  ].join('\n');
}

function zshAction(values: Values): string {
  if (values === 'file') return '_files';
  if (values === 'folder') return '_files -/';
  if (values === 'run') return '_path_files -W runs -/';
  return values === 'nothing' ? ' ' : `(${values.join(' ')})`;
}

function zshScript(commands: readonly CommandWords[]): string {
  const escaped = (text: string): string => text.replaceAll(/[[\]:]/g, (sign) => `\\${sign}`);
  const cases = commands.map(({ name, flags, subcommands, operand }) => {
    const specs = flags.map((flag) => {
      const about = `[${escaped(flag.about)}]`;
      return quoted(
        `*${long(flag)}${about}${flag.values === undefined ? '' : `:value:${zshAction(flag.values)}`}`,
      );
    });
    const first = subcommands.length > 0 ? [quoted(`1:what:(${subcommands.join(' ')})`)] : [];
    return `    ${name}) _arguments ${[...specs, ...first, quoted(`*:operand:${zshAction(operand)}`)].join(' ')} ;;`;
  });
  const described = commands.map(({ name, summary }) => quoted(`${name}:${summary.replaceAll(':', '\\:')}`));
  return [
    '#compdef entrain',
    '# entrain completion zsh: in ~/.zshrc, source <(entrain completion zsh)',
    '_entrain() {',
    `  local -a names=(${described.join(' ')})`,
    '  if (( CURRENT == 2 )); then _describe command names; return; fi',
    '  local name=$words[2]',
    '  shift words; (( CURRENT-- ))',
    '  case $name in',
    ...cases,
    '    help) _describe command names ;;',
    '  esac',
    '}',
    'compdef _entrain entrain',
  ].join('\n');
}

function fishArguments(values: Values): string {
  if (values === 'file') return '-r -F';
  if (values === 'folder') return "-x -a '(__fish_complete_directories)'";
  if (values === 'run') return "-x -a '(ls runs 2>/dev/null)'";
  return values === 'nothing' ? '-x' : `-x -a ${quoted(values.join(' '))}`;
}

function fishScript(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ name, summary, flags, subcommands, operand }) => {
    const here = `complete -c entrain -n '__fish_seen_subcommand_from ${name}'`;
    const alone =
      operand === 'nothing'
        ? []
        : [`${here} ${fishArguments(operand).replace('-r ', '').replace('-x', '-f')}`];
    return [
      `complete -c entrain -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
      ...(subcommands.length > 0 ? [`${here} -f -a ${quoted(subcommands.join(' '))}`] : []),
      ...flags.map(
        (flag) =>
          `${here} -l ${flag.name}${flag.values === undefined ? '' : ` ${fishArguments(flag.values)}`} -d ${quoted(flag.about)}`,
      ),
      ...alone,
    ];
  });
  return [
    '# entrain completion fish: entrain completion fish > ~/.config/fish/completions/entrain.fish',
    'complete -c entrain -f',
    ...lines,
  ].join('\n');
}
