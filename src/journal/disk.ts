/**
 * What a journal needs of a disk, and the real disk. A spool appends synchronously, so a frame is in the file
 * when the call returns. A recording writes asynchronously, since a write to a busy disk may block and would
 * hold up the thread that receives frames.
 */
import {
  closeSync,
  constants,
  fdatasync,
  fsync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writev,
  writevSync,
} from 'node:fs';
import { promisify } from 'node:util';

export interface DiskFile {
  size(): number;
  /** Appends synchronously. Throws when the disk is full; a part may have been written by then. */
  append(parts: Uint8Array[]): void;
  /** Appends asynchronously; until it settles nothing else may be written. */
  write(parts: Uint8Array[]): Promise<void>;
  read(offset: number, length: number): Uint8Array;
  truncate(size: number): void;
  /** Settles when every byte would survive a loss of power. */
  sync(): Promise<void>;
  close(): void;
}

export interface Disk {
  /** Opens a file for appending and reading; creates it if needed. */
  open(path: string): DiskFile;
  makeFolder(path: string): void;
  /** Names in a folder; empty if there is no such folder. */
  list(folder: string): string[];
  read(path: string): Uint8Array;
  remove(path: string): void;
  /** Makes created and removed names of a folder durable. */
  syncFolder(path: string): Promise<void>;
}

const fdatasyncAsync = promisify(fdatasync);
const fsyncAsync = promisify(fsync);
const writevAsync = promisify(writev);

export const realDisk: Disk = {
  open: openFile,
  makeFolder: (path) => void mkdirSync(path, { recursive: true }),
  list: (folder) => {
    try {
      return readdirSync(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  },
  read: (path) => readFileSync(path),
  remove: (path) => rmSync(path, { force: true }),
  syncFolder: async (path) => {
    const handle = openSync(path, constants.O_RDONLY);
    try {
      await fsyncAsync(handle);
    } finally {
      closeSync(handle);
    }
  },
};

function openFile(path: string): DiskFile {
  const handle = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  let size = fstatSync(handle).size;
  return {
    size: () => size,
    append: (parts) => {
      size += writeAll(handle, parts, size);
    },
    write: async (parts) => {
      size += await writeAllAsync(handle, parts, size);
    },
    read: (offset, length) => {
      const bytes = Buffer.allocUnsafeSlow(length);
      return bytes.subarray(0, readSync(handle, bytes, 0, length, offset));
    },
    truncate: (to) => {
      ftruncateSync(handle, to);
      size = to;
    },
    sync: () => fdatasyncAsync(handle),
    close: () => closeSync(handle),
  };
}

/**
 * Writes all parts. A file system may write only some of the bytes; after an error the file keeps them and the
 * caller truncates it.
 */
function writeAll(handle: number, parts: Uint8Array[], at: number): number {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  let written = writevSync(handle, parts, at);
  while (written < total) written += writevSync(handle, remaining(parts, written), at + written);
  return total;
}

async function writeAllAsync(handle: number, parts: Uint8Array[], at: number): Promise<number> {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  for (let written = 0; written < total;) {
    const rest = written === 0 ? parts : remaining(parts, written);
    const { bytesWritten } = await writevAsync(handle, rest, at + written);
    written += bytesWritten;
  }
  return total;
}

function remaining(parts: Uint8Array[], written: number): Uint8Array[] {
  let skip = written;
  return parts.flatMap((part) => {
    const rest = part.subarray(Math.min(skip, part.length));
    skip -= part.length - rest.length;
    return rest.length > 0 ? [rest] : [];
  });
}
