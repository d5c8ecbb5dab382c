/** Builds the viewer's page into dist/viewer: one script, one style sheet, with a digest in their names. */
import { defineConfig } from 'vite';

export default defineConfig({
  root: 'src/viewer/page',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../../../dist/viewer',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    // An inlined file would be a data URL, which the page's policy does not allow for scripts and styles.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
