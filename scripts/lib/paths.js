import { fileURLToPath } from 'node:url';

/** The project's folder, with a trailing slash. */
export const root = fileURLToPath(new URL('../../', import.meta.url));
/** What set-up downloads and what the gates report; safe to delete. */
export const cacheFolder = `${root}.cache`;
