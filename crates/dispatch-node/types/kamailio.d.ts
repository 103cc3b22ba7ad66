/** What Kamailio's numbers mean here. */
import type { Algorithm } from './types';
/**
 * The algorithm that stands for one of Kamailio's numbers, and keeps what it promises. For the same
 * decision as Kamailio's, take `{ kamailio: { alg } }`.
 *
 * @throws RangeError The number means nothing, or nothing here stands for it.
 */
export declare function algorithmFromKamailio(number: number): Algorithm;
