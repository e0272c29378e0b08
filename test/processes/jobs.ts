/** What the processes of this script are told, as JSON in their last argument. */
export interface RecorderJob {
  readonly directory: string;
  readonly acknowledged: string;
  /** The first place of this process; its threads take the next ones. */
  readonly place: number;
  /** Worker threads that record, one after the other terminated while it does; 0: the main thread records. */
  readonly threads: number;
  /** Between a thousand records; else it only lets its event loop turn. Default: none. */
  readonly pauseMillis?: number;
}

/** What a recorder says, by IPC. */
export type RecorderMessage =
  | 'recording'
  | {
      readonly terminated: number;
      /** From the end of each worker until the lock of its slab was free. */
      readonly freeAfterMillis: readonly number[];
      /** The most mappings of the region's file that the process had. */
      readonly mappings: number;
    };

export const ROUTES = 24;

export interface PasserJob {
  readonly directory: string;
  readonly number: number;
}

export interface LeaderJob {
  readonly directory: string;
}

export interface FillerJob {
  readonly directory: string;
  readonly series: number;
  /** Other values than those of the other fillers. */
  readonly name: string;
}

export interface FillerMessage {
  readonly recorded: number;
  readonly warnings: readonly string[];
  /** The code of the error where the store could not be opened. */
  readonly refused?: string;
}

/** Of a filler. */
export const STREAMS = 20;

export interface CellJob {
  readonly file: string;
  /** The name of a protocol of test/support. */
  readonly cell: string;
  readonly writes: boolean;
  readonly seconds: number;
  /** The first torn read ends the run: it proves what it is for. */
  readonly endsWhenTorn: boolean;
}

export interface CellReport {
  writes: number;
  reads: number;
  torn: number;
  backwards: number;
}

export const CELL_FILE_BYTES = 65_536;
/** 0 before the writer has begun, 1 while it writes, 2 at the end. */
export const CONTROL_INDEX: number = (CELL_FILE_BYTES >> 2) - 1;
