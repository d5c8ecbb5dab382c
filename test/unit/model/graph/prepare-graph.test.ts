/** A prepared graph leaves its weights where they are, and is kept until its file changes. */
import {
  copyFile,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ModelFolder, readModelFolder } from '../../../../src/model/folder/model-folder.ts';
import { prepareGraph } from '../../../../src/model/graph/prepare-graph.ts';
import { openSession } from '../../../../src/model/runtime/session.ts';
import { randomWeights } from '../../../fixtures/onnx/llama2c.ts';
import { temporaryFolder, writeLlamaFolder } from '../../../fixtures/onnx/write-folder.ts';

const SHAPE = { dims: 64, hidden: 128, layers: 2, heads: 2, keyValueHeads: 1, vocabulary: 96, context: 64 };
/** Of more than a megabyte. */
const LARGE = { ...SHAPE, hidden: 1024 };

describe('a prepared graph', () => {
  let folder: ModelFolder;
  let cacheFolder: string;
  beforeEach(async () => {
    folder = await readModelFolder(await writeLlamaFolder(randomWeights(LARGE, 3), { style: 'torch' }));
    cacheFolder = await temporaryFolder();
  });

  const open = async (bytes: Uint8Array): Promise<void> => {
    const options = { provider: 'cpu', threads: 1, weightsFolder: dirname(folder.graph) } as const;
    await (await openSession(bytes, options)).release();
  };

  it('is small, and the runtime reads its weights from their file', async () => {
    const { bytes, externalFiles } = await prepareGraph(folder, cacheFolder);
    const { size } = await stat(folder.graph);
    expect(bytes.length).toBeLessThan(size / 4);
    expect(externalFiles).toEqual([]);
    await open(bytes);
    await rename(folder.graph, `${folder.graph}.gone`);
    await expect(open(bytes)).rejects.toThrow();
  });

  it('holds its weights itself if the file is small, since mapping would take longer', async () => {
    folder = await readModelFolder(await writeLlamaFolder(randomWeights(SHAPE, 3), { style: 'torch' }));
    const { bytes } = await prepareGraph(folder, cacheFolder);
    await rename(folder.graph, `${folder.graph}.gone`);
    await open(bytes);
  });

  it('is not prepared again for a file of the same size and time', async () => {
    const [{ size }, time] = [await stat(folder.graph), new Date('2026-01-01')];
    await utimes(folder.graph, time, time);
    const first = await prepareGraph(folder, cacheFolder);
    await writeFile(folder.graph, Buffer.alloc(size, 0xff));
    await utimes(folder.graph, time, time);
    expect(await prepareGraph(folder, cacheFolder)).toMatchObject({ taps: first.taps, sharedCache: false });
    await utimes(folder.graph, time, new Date('2026-01-02'));
    await expect(prepareGraph(folder, cacheFolder)).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
  });

  it.each([0, 0.5])('is prepared again if a loss of power left %f of it in the cache', async (share) => {
    const first = await prepareGraph(folder, cacheFolder);
    const [name = ''] = await readdir(join(cacheFolder, 'graphs'));
    const note = join(cacheFolder, 'graphs', name);
    const { size } = await stat(note);
    await truncate(note, Math.floor(share * size));
    expect(await prepareGraph(folder, cacheFolder)).toMatchObject({ taps: first.taps });
    expect((await stat(note)).size).toBe(size);
  });

  it('is prepared again for another number of layers', async () => {
    await prepareGraph(folder, cacheFolder);
    const place = { graph: folder.graph, config: { layers: 3 } };
    await expect(prepareGraph(place, cacheFolder)).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
    expect((await readdir(join(cacheFolder, 'graphs'))).length).toBe(1);
  });

  it('differs for WebGPU, where the cache stays on the device', async () => {
    for (const provider of ['cpu', 'cuda', 'webgpu'] as const)
      await prepareGraph(folder, cacheFolder, { provider });
    expect((await readdir(join(cacheFolder, 'graphs'))).length).toBe(2);
  });

  it('holds its weights itself if the file is a link, which the runtime would not follow', async () => {
    const elsewhere = join(await temporaryFolder(), 'blob');
    await copyFile(folder.graph, elsewhere);
    await rename(folder.graph, `${folder.graph}.gone`);
    await symlink(elsewhere, folder.graph);
    const { bytes } = await prepareGraph(folder, cacheFolder);
    expect(bytes.length).toBeGreaterThan((await readFile(elsewhere)).length);
    await open(bytes);
  });
});
