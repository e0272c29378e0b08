/** Opens a store directory, says what it found as JSON, and ends. */
import { openStoreDirectory } from '../../src/memory/store-directory.ts';

const [directory, maxBytes] = process.argv.slice(2);
const { file, warnings } = openStoreDirectory(directory!, Number(maxBytes), () => undefined);
process.stdout.write(JSON.stringify({ identity: file.identity, warnings }));
