/** What happened unasked, and what a new list would change. */
import type { Destination } from '../destination';
import type { Description, Lease } from './call';
import type { Observed } from './status';
/** One change of a plan. */
export type Change = {
    readonly kind: 'add';
    readonly set: number;
    readonly id: string;
    readonly to: Required<Description>;
} | {
    readonly kind: 'update';
    readonly set: number;
    readonly id: string;
    readonly from: Required<Description>;
    readonly to: Required<Description>;
} | {
    readonly kind: 'remove';
    readonly set: number;
    readonly id: string;
    readonly calls: number;
};
/** Something that happened unasked, and when. A destination that is gone for good is `null`. */
export type Event = {
    readonly at: number;
} & ({
    readonly kind: 'added';
    readonly destination: Destination | null;
    readonly set: number;
    readonly id: string;
}
/** It left its set and has no calls any more. */
 | {
    readonly kind: 'removed';
    readonly destination: Destination | null;
    readonly set: number;
    readonly id: string;
}
/** Probes changed what is known of it. */
 | {
    readonly kind: 'health';
    readonly destination: Destination | null;
    readonly observed: Observed;
}
/** It said that it is full, and until when. */
 | {
    readonly kind: 'busy';
    readonly destination: Destination | null;
    readonly until: number;
}
/** Calls fail there: it gets none until then. */
 | {
    readonly kind: 'ejected';
    readonly destination: Destination | null;
    readonly cause: {
        readonly inARow: number;
    } | {
        readonly share: {
            readonly failed: number;
            readonly of: number;
        };
    };
    readonly until: number;
}
/** An ejection is over. */
 | {
    readonly kind: 'returned';
    readonly destination: Destination | null;
}
/** Most of a set fail, so it is not they who are to blame: nobody is ejected. */
 | {
    readonly kind: 'common_cause';
    readonly set: number;
    readonly failing: number;
    readonly of: number;
}
/** Its score contradicts its calls and is ignored, or is believed again. */
 | {
    readonly kind: 'trust';
    readonly destination: Destination | null;
    readonly trusted: boolean;
}
/** A set should have another number of destinations. */
 | {
    readonly kind: 'scale';
    readonly set: number;
    readonly to: 'up' | 'down';
    readonly desired: number;
}
/** A drain is over; `left` calls were still there at the deadline. */
 | {
    readonly kind: 'drained';
    readonly destination: Destination | null;
    readonly left: number;
}
/** A call reached its deadline and ended. */
 | {
    readonly kind: 'expired';
    readonly destination: Destination | null;
    readonly lease: Lease;
    readonly confirmed: boolean;
}
/** Nobody polled for so long that so many events were dropped. */
 | {
    readonly kind: 'lost';
    readonly count: number;
});
