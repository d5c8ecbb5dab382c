/** Which graph of a folder is run, and what the hub's cache of links is taken for. */
import { copyFile, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { findGraph } from '../../../../src/model/folder/find-graph.ts';
import { readModelFolder } from '../../../../src/model/folder/model-folder.ts';
import { openModel } from '../../../../src/model/worker/open-model.ts';
import { randomWeights } from '../../../fixtures/onnx/llama2c.ts';
import { byteLevelTokenizer, TEMPLATES, tokenizerConfig } from '../../../fixtures/onnx/tokenizers.ts';
import { temporaryFolder, writeLlamaFolder } from '../../../fixtures/onnx/write-folder.ts';

const SHAPE = { dims: 64, hidden: 128, layers: 2, heads: 2, keyValueHeads: 1, context: 256 };

async function writeExternal(): Promise<string> {
  const { tokenizer, vocabulary } = byteLevelTokenizer(50);
  const weights = randomWeights({ ...SHAPE, vocabulary }, 1);
  return writeLlamaFolder(
    weights,
    { style: 'torch', external: 'model.onnx_data' },
    {
      tokenizer,
      tokenizerConfig: tokenizerConfig(TEMPLATES.own),
    },
  );
}

const open = async (folder: string, graph = {}): Promise<Awaited<ReturnType<typeof openModel>>['info']> => {
  const options = {
    folder,
    graph,
    provider: 'cpu' as const,
    threads: 1,
    cacheFolder: await temporaryFolder(),
  };
  // The second time from what was kept of the first.
  await (await openModel(options)).release();
  const model = await openModel(options);
  await model.release();
  return model.info;
};

describe('a folder with several graphs', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await temporaryFolder();
    await mkdir(join(folder, 'onnx'));
    for (const name of [
      'model_q4.onnx',
      'model.onnx',
      'model_fp16.onnx',
      'other.onnx',
      'model_quantized.onnx',
    ])
      await writeFile(join(folder, 'onnx', name), '');
    await writeFile(join(folder, 'top.onnx'), '');
  });

  it.each([
    [{}, 'onnx/model.onnx'],
    [{ dtype: 'fp32' }, 'onnx/model.onnx'],
    [{ dtype: 'fp16' }, 'onnx/model_fp16.onnx'],
    [{ dtype: 'q8' }, 'onnx/model_quantized.onnx'],
    [{ dtype: 'q4' }, 'onnx/model_q4.onnx'],
    [{ file: 'other.onnx' }, 'onnx/other.onnx'],
    [{ file: 'onnx/other.onnx' }, 'onnx/other.onnx'],
    [{ file: 'top.onnx' }, 'top.onnx'],
  ])('gives for %j the graph %s', async (choice, path) => {
    expect(relative(folder, await findGraph(folder, choice))).toBe(path);
  });

  it.each([
    [{ dtype: 'int8' }, 'MODEL_MISSING', 'there is model.onnx, model_fp16.onnx'],
    [{ dtype: 'f4' }, 'USAGE', 'expected one of fp32'],
    [{ dtype: 'constructor' }, 'USAGE', 'expected one of fp32'],
    [{ file: 'nothing.onnx' }, 'MODEL_MISSING', 'nothing.onnx'],
    [{ file: '../../etc/hostname' }, 'MODEL_MISSING', 'within'],
  ])('gives no graph for %j', async (choice, code, why) => {
    await expect(findGraph(folder, choice)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(why) as string,
    });
  });

  it('gives the graph asked for if the usual one lacks its weights, and names the others', async () => {
    const model = await writeExternal();
    const whole = await writeExternal();
    await rename(join(whole, 'onnx/model.onnx'), join(model, 'onnx/model_q4.onnx'));
    await rename(join(model, 'onnx/model.onnx_data'), join(model, 'onnx/kept'));
    await expect(open(model)).rejects.toMatchObject({
      code: 'MODEL_MISSING',
      message: expect.stringMatching(/model\.onnx_data.*--dtype.*model_q4\.onnx/) as string,
    });
    await rename(join(model, 'onnx/kept'), join(model, 'onnx/model.onnx_data'));
    await expect(open(model, { dtype: 'q4' })).resolves.toMatchObject({ layers: 2 });
  });
});

/** As huggingface_hub lays it out: every file a link into blobs/. */
async function intoHubCache(folder: string): Promise<{ root: string; snapshot: string }> {
  const root = join(await temporaryFolder(), 'models--acme--tiny-chat');
  const snapshot = join(root, 'snapshots', '0123456789abcdef');
  await mkdir(join(root, 'blobs'), { recursive: true });
  await mkdir(join(snapshot, 'onnx'), { recursive: true });
  for (const place of ['', 'onnx']) {
    for (const name of await readdir(join(folder, place))) {
      if (name === 'onnx') continue;
      const blob = join(root, 'blobs', `blob-of-${name}`);
      await copyFile(join(folder, place, name), blob);
      await symlink(relative(join(snapshot, place), blob), join(snapshot, place, name));
    }
  }
  return { root, snapshot };
}

describe("the hub's cache", () => {
  it('is read through its links, under the name of the repository', async () => {
    const folder = await writeExternal();
    const { snapshot } = await intoHubCache(folder);
    const [plain, linked] = [await open(folder), await open(snapshot)];
    expect(linked.name).toBe('tiny-chat');
    expect(linked).toEqual({ ...plain, name: 'tiny-chat' });
    expect((await readModelFolder(folder)).name).toBe(basename(folder));
  });

  it('is refused as unsafe if a link leads out of the repository', async () => {
    const { snapshot } = await intoHubCache(await writeExternal());
    const outside = join(await temporaryFolder(), 'weights');
    const inside = join(snapshot, 'onnx/model.onnx_data');
    await copyFile(inside, outside);
    await rm(inside);
    await symlink(outside, inside);
    await expect(open(snapshot)).rejects.toMatchObject({ code: 'MODEL_UNSAFE' });
  });

  it('lacks a file if its link leads nowhere', async () => {
    const { root, snapshot } = await intoHubCache(await writeExternal());
    await rm(join(root, 'blobs/blob-of-model.onnx_data'));
    await expect(open(snapshot)).rejects.toMatchObject({
      code: 'MODEL_MISSING',
      message: expect.stringContaining('model.onnx_data') as string,
    });
  });
});
