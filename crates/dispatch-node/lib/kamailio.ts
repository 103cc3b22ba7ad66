/** What Kamailio's numbers mean here. */

import { whole } from './arguments';
import { fromCore } from './names';
import { native } from './native';
import type { Algorithm } from './types';

/**
 * The algorithm that stands for one of Kamailio's numbers, and keeps what it promises. For the same
 * decision as Kamailio's, take `{ kamailio: { alg } }`.
 *
 * @throws RangeError The number means nothing, or nothing here stands for it.
 */
export function algorithmFromKamailio(number: number): Algorithm {
  return fromCore(native.algorithmFromKamailio(whole(number, 'number'))) as Algorithm;
}
