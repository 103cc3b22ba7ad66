/** Configuration files. */

import { bytes } from './arguments';
import { fromCore } from './names';
import { native } from './native';
import type { Config } from './types';

/**
 * Reads a configuration file, the same for all languages: JSON, in the names of the core (`setup_timeout`)
 * and in seconds. What it does not say has its default.
 *
 * @throws CallsteerError `invalid_config`, with line and column: no JSON, a name that is none, a value of
 * another kind. Values that cannot work are refused by `new Dispatcher`.
 *
 * @example
 * ```js
 * const dispatcher = new Dispatcher(parseConfig(fs.readFileSync('config.json')));
 * ```
 */
export function parseConfig(json: string | Uint8Array): Config {
  return fromCore(native.readConfig(bytes(json, 'json'))) as Config;
}
