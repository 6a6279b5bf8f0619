import type { TargetProtocol } from '../diagnostics/subject.ts';

/** The options of `bbx doctor` and its topics, as the command line has read them. */
export interface DoctorOptions {
  dir?: string;
  listen?: string[];
  stock?: string;
  reach?: string[];
  server?: string;
  protocol?: TargetProtocol | 'smtp';
  via?: string[];
  from?: string;
  ca?: string;
  name?: string;
  verbose?: boolean;
  only?: string[];
  skip?: string[];
  list?: boolean;
  strict?: boolean;
  failOn?: 'error' | 'warn' | 'unknown';
  budget?: number;
  soak?: boolean;
  /** `doctor source --worker`. */
  worker?: string;
  execConfig?: boolean;
  probe?: boolean;
  token?: string;
  report?: string;
  share?: boolean;
  fix?: boolean;
  yes?: boolean;
  jsonl?: boolean;
  watch?: boolean;
  untilOk?: boolean;
  for?: number;
}
