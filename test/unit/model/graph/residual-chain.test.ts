/** The residual stream is found in every style of block, whatever the names; weights are empty, since none is read. */
import { describe, expect, it } from 'vitest';
import { findTaps } from '../../../../src/model/graph/find-taps.ts';
import { type Graph, readModel } from '../../../../src/model/graph/onnx-graph.ts';
import { findResidualChain } from '../../../../src/model/graph/residual-chain.ts';
import { model, node, tensor, valueInfo } from '../../../fixtures/onnx/write-onnx.ts';

type Wire = [op: string, inputs: string, output: string];

const FIXED = ['table', 'places', 'w', 'b', 'scale', 'eps'];

/** Nodes in short: operator, inputs, output. Names of `FIXED` are weights. */
function wire(wires: Wire[]): Graph {
  return readModel(
    model(
      {
        nodes: wires.map(([op, inputs, output]) =>
          node({ op, inputs: inputs.split(' '), outputs: output.split(' ') }),
        ),
        weights: FIXED.map((name) => tensor(name, [1, 1], new Float32Array(1))),
        inputs: [valueInfo('ids', 7, ['b', 's']), valueInfo('positions', 7, ['b', 's'])],
        outputs: [valueInfo('logits', 1, ['b', 's', 1])],
      },
      { producer: 'test' },
    ),
  ).graph;
}

/** x → attention and feed-forward, as far as wiring goes: norm, product, product. */
function branch(input: string, name: string): Wire[] {
  return [
    ['Pow', `${input} eps`, `${name}_square`],
    ['ReduceMean', `${name}_square`, `${name}_mean`],
    ['Add', `${name}_mean eps`, `${name}_safe`],
    ['Div', `${input} ${name}_safe`, `${name}_div`],
    ['Mul', `${name}_div w`, `${name}_norm`],
    ['MatMul', `${name}_norm w`, `${name}_in`],
    ['Add', `${name}_in b`, `${name}_biased`],
    ['Add', `${name}_biased ${name}_in`, `${name}_mixed`],
    ['MatMul', `${name}_mixed w`, `${name}_out`],
  ];
}

/** Two additions a block; `around` says what the branch's output goes through before it is added. */
function sequential(entry: string, around: (output: string) => Wire[] = () => []): Wire[] {
  const wires: Wire[] = [];
  let x = entry;
  for (let i = 0; i < 3; i++) {
    for (const part of ['a', 'm']) {
      const name = `${part}${i}`;
      const extra = around(`${name}_out`);
      wires.push(...branch(x, name), ...extra);
      wires.push(['Add', `${x} ${extra.at(-1)?.[2] ?? `${name}_out`}`, `x_${name}`]);
      x = `x_${name}`;
    }
  }
  return [...wires, ...head(x)];
}

function head(input: string): Wire[] {
  return [...branch(input, 'head').slice(0, 5), ['MatMul', 'head_norm w', 'logits']];
}

/** Products of what is computed, around a softmax. */
function attention(input: string, name: string): Wire[] {
  return [
    ['MatMul', `${input} w`, `${name}_q`],
    ['MatMul', `${name}_q ${input}`, `${name}_scores`],
    ['Div', `${name}_scores scale`, `${name}_scaled`],
    ['Softmax', `${name}_scaled`, `${name}_weights`],
    ['MatMul', `${name}_weights ${input}`, `${name}_out`],
  ];
}

/** Blocks of attention and feed-forward part. */
function attentive(entry: string, blocks: number): Wire[] {
  const wires: Wire[] = [];
  let x = entry;
  for (let i = 0; i < blocks; i++) {
    wires.push(...attention(x, `a${i}`), ['Add', `${x} a${i}_out`, `x_a${i}`]);
    wires.push(...branch(`x_a${i}`, `m${i}`), ['Add', `m${i}_out x_a${i}`, `x_m${i}`]);
    x = `x_m${i}`;
  }
  return wires;
}

const EMBED: Wire = ['Gather', 'table ids', 'embedded'];

function tapsOf(wires: Wire[], layers = 3): string[] {
  return findTaps(findResidualChain(wire(wires)), layers).map(({ tensor: name }) => name);
}

const BLOCKS = ['x_m0', 'x_m1', 'x_m2'];

/** The same wires, with a Dropout behind everything that joins the stream. */
function droppedOut(wires: Wire[]): Wire[] {
  const renamed = (name: string): string => (name.startsWith('x_') ? `${name}_dropped` : name);
  return wires.flatMap(([op, inputs, output]): Wire[] => {
    const inner: Wire = [op, inputs.split(' ').map(renamed).join(' '), output];
    return output.startsWith('x_') ? [inner, ['Dropout', output, `${output}_dropped`]] : [inner];
  });
}

describe('the residual stream', () => {
  it('of plain blocks starts at the embedding', () => {
    expect(tapsOf([EMBED, ...sequential('embedded')])).toEqual(['embedded', ...BLOCKS]);
  });

  it('is tapped before a dropout, which the runtime could otherwise no longer take out', () => {
    expect(tapsOf([EMBED, ...droppedOut(sequential('embedded'))])).toEqual(['embedded', ...BLOCKS]);
  });

  it('starts behind added positions', () => {
    const wires: Wire[] = [
      EMBED,
      ['Gather', 'places positions', 'placed'],
      ['Add', 'embedded placed', 'start'],
    ];
    expect(tapsOf([...wires, ...sequential('start')])).toEqual(['start', ...BLOCKS]);
  });

  it('starts behind a scaled embedding', () => {
    expect(tapsOf([EMBED, ['Mul', 'embedded scale', 'scaled'], ...sequential('scaled')])).toEqual([
      'scaled',
      ...BLOCKS,
    ]);
  });

  it.each([
    ['fused', [['LayerNormalization', 'embedded w b', 'normed']]],
    [
      'spelled out',
      [
        ['ReduceMean', 'embedded', 'mean'],
        ['Sub', 'embedded mean', 'centred'],
        ['Pow', 'centred eps', 'square'],
        ['ReduceMean', 'square', 'variance'],
        ['Div', 'centred variance', 'unit'],
        ['Mul', 'unit w', 'weighted'],
        ['Add', 'weighted b', 'normed'],
      ],
    ],
  ] as [string, Wire[]][])('starts behind a normed embedding, %s', (_, wires) => {
    expect(tapsOf([EMBED, ...wires, ...sequential('normed')])).toEqual(['normed', ...BLOCKS]);
  });

  it('goes through blocks that norm or scale what they add', () => {
    const normed = (output: string): Wire[] => [
      ['SimplifiedLayerNormalization', `${output} w`, `${output}_post`],
    ];
    const scaled = (output: string): Wire[] => [['Mul', `${output} scale`, `${output}_scaled`]];
    expect(tapsOf([EMBED, ...sequential('embedded', normed)])).toEqual(['embedded', ...BLOCKS]);
    expect(tapsOf([EMBED, ...sequential('embedded', scaled)])).toEqual(['embedded', ...BLOCKS]);
  });

  it('goes through casts, as half-precision exports have them', () => {
    const cast = (output: string): Wire[] => [['Cast', output, `${output}_cast`]];
    const table: Wire[] = [
      ['Cast', 'table', 'half_table'],
      ['Gather', 'half_table ids', 'half'],
      ['Cast', 'half', 'embedded'],
    ];
    expect(tapsOf([...table, ...sequential('embedded', cast)])).toEqual(['embedded', ...BLOCKS]);
  });

  it.each(['inner first', 'one by one'])('adds once in parallel blocks, %s', (order) => {
    const wires: Wire[] = [EMBED];
    let x = 'embedded';
    for (let i = 0; i < 3; i++) {
      wires.push(...branch(x, `a${i}`), ...branch(x, `m${i}`));
      if (order === 'inner first')
        wires.push(['Add', `a${i}_out m${i}_out`, `sum${i}`], ['Add', `sum${i} ${x}`, `x_m${i}`]);
      else wires.push(['Add', `a${i}_out ${x}`, `part${i}`], ['Add', `m${i}_out part${i}`, `x_m${i}`]);
      x = `x_m${i}`;
    }
    expect(tapsOf([...wires, ...head(x)])).toEqual(['embedded', ...BLOCKS]);
  });

  it.each(['spelled out', 'fused'])('is what leaves a norm behind the addition, %s', (form) => {
    const norm = (input: string, output: string): Wire[] =>
      form === 'fused'
        ? [['LayerNormalization', `${input} w b`, output]]
        : [...branch(input, `${output}_n`).slice(0, 4), ['Mul', `${output}_n_div w`, output]];
    const blocks = (count: number): Wire[] => {
      const wires: Wire[] = [EMBED];
      let x = 'embedded';
      for (let i = 0; i < count; i++) {
        wires.push(...attention(x, `a${i}`), ['Add', `a${i}_out ${x}`, `s${i}`], ...norm(`s${i}`, `t${i}`));
        wires.push(
          ['MatMul', `t${i} w`, `m${i}`],
          ['Add', `t${i} m${i}`, `u${i}`],
          ...norm(`u${i}`, `x_m${i}`),
        );
        x = `x_m${i}`;
      }
      return [...wires, ['MatMul', `${x} w`, 'logits']];
    };
    expect(tapsOf(blocks(3))).toEqual(['embedded', ...BLOCKS]);
    expect(tapsOf(blocks(1), 1)).toEqual(['embedded', 'x_m0']);
  });

  it('starts after token types, a projection and additions outside blocks, and ends before such additions', () => {
    const wires: Wire[] = [
      EMBED,
      ['MatMul', 'embedded w', 'projected'],
      ['Mod', 'ids scale', 'types'],
      ['Gather', 'places types', 'typed'],
      ['Add', 'typed projected', 'sum'],
      ...branch('sum', 'adapter'),
      ['Add', 'adapter_out sum', 'x_'],
      ...attentive('x_', 3),
      ...branch('x_m2', 'after'),
      ['Add', 'x_m2 after_out', 'x_after'],
      ...head('x_after'),
    ];
    expect(tapsOf(wires)).toEqual(['x_', ...BLOCKS]);
  });

  it('is the stream, not a rotated query, in a model of one parallel block', () => {
    const wires: Wire[] = [
      EMBED,
      ['Gather', 'places positions', 'cosine'],
      ['MatMul', 'embedded w', 'q'],
      ['Mul', 'q cosine', 'turned'],
      ['Add', 'q turned', 'rotated'],
      ['MatMul', 'rotated q', 'scores'],
      ['Softmax', 'scores', 'weights'],
      ['MatMul', 'weights q', 'mixed'],
      ...branch('embedded', 'm0'),
      ['Add', 'mixed m0_out', 'both'],
      ['Add', 'both embedded', 'x_m0'],
      ...head('x_m0'),
    ];
    expect(tapsOf(wires, 1)).toEqual(['embedded', 'x_m0']);
  });

  it('is found if its shape changes within a block', () => {
    const wires: Wire[] = [EMBED];
    let x = 'embedded';
    for (let i = 0; i < 3; i++) {
      wires.push(
        ...attention(x, `a${i}`),
        ['Add', `a${i}_out ${x}`, `s${i}`],
        ['Reshape', `s${i} b`, `flat${i}`],
      );
      wires.push(...branch(`flat${i}`, `m${i}`), ['Add', `m${i}_out flat${i}`, `u${i}`]);
      wires.push(['Reshape', `u${i} b`, `x_m${i}`]);
      x = `x_m${i}`;
    }
    expect(tapsOf([...wires, ...head(x)])).toEqual(['embedded', ...BLOCKS]);
  });

  it('is taken before a norm that names say is the next block’s own', () => {
    const wires: Wire[] = [EMBED];
    let x = 'embedded';
    for (let i = 0; i < 3; i++) {
      const normed = `/layers.${i}/norm`;
      wires.push(['LayerNormalization', `${x} w b`, normed], ...attention(normed, `a${i}`));
      wires.push(['Add', `a${i}_out ${normed}`, `x_m${i}`]);
      x = `x_m${i}`;
    }
    expect(tapsOf([...wires, ...head(x)])).toEqual(['embedded', ...BLOCKS]);
  });

  it('does not take a router for attention', () => {
    const wires: Wire[] = [EMBED];
    let x = 'embedded';
    for (let i = 0; i < 3; i++) {
      wires.push(...attention(x, `a${i}`), ['Add', `a${i}_out ${x}`, `s${i}`]);
      wires.push(['MatMul', `s${i} w`, `gates${i}`], ['Softmax', `gates${i}`, `soft${i}`]);
      wires.push(...branch(`s${i}`, `m${i}`), ['Mul', `m${i}_out soft${i}`, `e${i}`]);
      wires.push(['Add', `s${i} e${i}`, `x_m${i}`]);
      x = `x_m${i}`;
    }
    wires.push(...branch(x, 'after'), ['Add', `${x} after_out`, 'x_after']);
    expect(tapsOf([...wires, ...head('x_after')])).toEqual(['embedded', ...BLOCKS]);
  });

  it('is refused when its blocks with attention are not as many as the layers', () => {
    const graph = wire([EMBED, ...attentive('embedded', 4), ...head('x_m3')]);
    expect(() => findTaps(findResidualChain(graph), 2)).toThrow('4 blocks with attention');
    expect(findTaps(findResidualChain(graph), 4)).toHaveLength(5);
  });

  it('is refused when a name contradicts it', () => {
    const wires = sequential('embedded').map(([op, inputs, output]): Wire => {
      const rename = (name: string): string =>
        name.replaceAll(/\bx_m(\d)\b/g, (_, i: string) => `/layers.${Number(i) + 2}/Add`);
      return [op, rename(inputs), rename(output)];
    });
    expect(() => tapsOf([EMBED, ...wires])).toThrow('says another layer');
  });

  it('is refused when its additions do not divide over the layers', () => {
    const graph = wire([EMBED, ...sequential('embedded')]);
    expect(() => findTaps(findResidualChain(graph), 2)).toThrow('additions');
    expect(() => findTaps(findResidualChain(graph), 7)).toThrow('additions');
  });
});
