/** Loaded before a program: the system has no watches of files left. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

Object.defineProperty(fs, 'watch', {
  value: () => {
    throw Object.assign(new Error('EMFILE: too many open files, watch'), { code: 'EMFILE' });
  },
});
syncBuiltinESMExports();
