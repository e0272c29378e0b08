/** Loaded first (--import), makes a process and all its workers believe that they are on a system without /proc. */
Object.defineProperty(process, 'platform', { value: 'darwin' });
