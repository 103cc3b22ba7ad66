//! What a careful engineer would write by hand: an indexed binary heap, and a winner tree.

/// Members by load / weight, the least on top; each knows where it is.
pub(crate) struct Heap {
    /// Load and weight per member.
    members: Vec<(u64, u64)>,
    order: Vec<usize>,
    places: Vec<usize>,
}

impl Heap {
    /// Members with these loads and weights, in a heap already when all shares are equal.
    pub(crate) fn new(members: Vec<(u64, u64)>) -> Self {
        let order: Vec<usize> = (0..members.len()).collect();
        let mut heap = Self { members, places: order.clone(), order };
        for place in (0..heap.order.len() / 2).rev() {
            heap.sink(place);
        }
        heap
    }

    /// The member with the least load + 1 by its weight.
    pub(crate) fn least(&self) -> usize {
        self.order[0]
    }

    pub(crate) fn add(&mut self, member: usize, calls: i64) {
        self.members[member].0 = self.members[member].0.wrapping_add_signed(calls);
        let place = self.places[member];
        if calls > 0 { self.sink(place) } else { self.rise(place) }
    }

    fn before(&self, a: usize, b: usize) -> bool {
        let ((load_a, weight_a), (load_b, weight_b)) = (self.members[a], self.members[b]);
        (load_a + 1) * weight_b < (load_b + 1) * weight_a
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let mut least = place;
            for child in [2 * place + 1, 2 * place + 2] {
                if child < self.order.len() && self.before(self.order[child], self.order[least]) {
                    least = child;
                }
            }
            if least == place {
                return;
            }
            self.swap(place, least);
            place = least;
        }
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 && self.before(self.order[place], self.order[(place - 1) / 2]) {
            self.swap(place, (place - 1) / 2);
            place = (place - 1) / 2;
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.order.swap(a, b);
        self.places[self.order[a]] = a;
        self.places[self.order[b]] = b;
    }
}

/// The least of these keys at the root, one path per change.
pub(crate) struct WinnerTree {
    keys: Vec<f64>,
    nodes: Vec<u32>,
    leaves: usize,
}

impl WinnerTree {
    pub(crate) fn new(keys: Vec<f64>) -> Self {
        let leaves = keys.len().next_power_of_two();
        let mut tree = Self { nodes: vec![u32::MAX; 2 * leaves], leaves, keys };
        for member in 0..tree.keys.len() {
            tree.set(member, tree.keys[member]);
        }
        tree
    }

    pub(crate) fn winner(&self) -> u32 {
        self.nodes[1]
    }

    pub(crate) fn set(&mut self, member: usize, key: f64) {
        self.keys[member] = key;
        let mut node = self.leaves + member;
        self.nodes[node] = member as u32;
        while node > 1 {
            let (left, right) = (self.nodes[node & !1], self.nodes[node | 1]);
            let key = |member: u32| self.keys.get(member as usize).copied().unwrap_or(f64::INFINITY);
            let winner = if key(right) < key(left) { right } else { left };
            node /= 2;
            self.nodes[node] = winner;
        }
    }
}
