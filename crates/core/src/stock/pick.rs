//! Which of a product's stock items an order takes from.

use fastrand::Rng;

/// How often an order goes to another stock item before it pauses, or looks at all of them.
const HOPS: u8 = 3;

/// How often an order looks at all stock items of a product.
const MAX_LOOKS: u8 = 5;

/// The stock item that an order takes a product from. It is chosen at random, without reading the
/// items first: orders of the same product rarely meet at one of many items.
#[derive(Clone, Debug)]
pub struct Pick {
    spread: u8,
    number: u8,
    hops: u8,
    looks: u8,
    rng: Rng,
}

/// What to do, given the pieces in each item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The picked item has enough.
    Take,
    /// No item has enough, but all together do: move these pieces into the picked item first.
    Gather(Vec<(u8, u64)>),
    /// There are not enough. This many are left.
    Short(u64),
}

impl Pick {
    /// Picks one of `spread` items.
    #[must_use]
    pub fn new(spread: u8, mut rng: Rng) -> Self {
        let number = rng.u8(..spread.max(1));
        Self { spread: spread.max(1), number, hops: HOPS, looks: MAX_LOOKS, rng }
    }

    /// The number of the picked item.
    #[must_use]
    pub const fn number(&self) -> u8 {
        self.number
    }

    /// The number of items to pick from.
    #[must_use]
    pub const fn spread(&self) -> u8 {
        self.spread
    }

    /// After a conflict or a shortage: picks another item to try at once. Returns `false` if there is
    /// none, or if it has hopped often enough since the last pause.
    pub fn hop(&mut self) -> bool {
        if self.spread == 1 || self.hops == 0 {
            return false;
        }
        self.hops -= 1;
        let step = self.rng.u8(1..self.spread);
        self.number = (self.number + step) % self.spread;
        true
    }

    /// After a pause: it may hop again.
    pub const fn rest(&mut self) {
        self.hops = HOPS;
    }

    /// After a shortage, if it does not hop: whether to look at all items and [`choose`](Self::choose).
    /// Returns `false` if it has looked often enough.
    pub const fn look(&mut self) -> bool {
        let may_look = self.looks > 0;
        self.looks = self.looks.saturating_sub(1);
        may_look
    }

    /// Picks an item, given the pieces in each: at random one that has enough, or else the fullest.
    pub fn choose(&mut self, quantities: &[u64], needed: u64) -> Choice {
        let numbered = || (0..self.spread).zip(quantities.iter().copied());
        let total = quantities.iter().sum();
        if total < needed {
            return Choice::Short(total);
        }
        let enough: Vec<u8> =
            numbered().filter(|(_, pieces)| *pieces >= needed).map(|(number, _)| number).collect();
        if let Some(number) = self.rng.choice(&enough) {
            self.number = *number;
            return Choice::Take;
        }
        let mut fullest: Vec<(u8, u64)> = numbered().collect();
        // Orders that find equally full items do not all move the same pieces.
        self.rng.shuffle(&mut fullest);
        fullest.sort_by_key(|(_, pieces)| std::cmp::Reverse(*pieces));
        let mut fullest = fullest.into_iter();
        let Some((number, held)) = fullest.next() else { return Choice::Short(total) };
        self.number = number;
        let mut missing = needed - held;
        let mut from = Vec::new();
        for (number, pieces) in fullest {
            let moved = pieces.min(missing);
            if moved == 0 {
                break;
            }
            from.push((number, moved));
            missing -= moved;
        }
        Choice::Gather(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(spread: u8) -> Pick {
        Pick::new(spread, Rng::with_seed(7))
    }

    #[test]
    fn every_item_is_picked_and_a_hop_leads_to_another() {
        let mut rng = Rng::with_seed(7);
        let mut seen = [false; 16];
        for _ in 0..1000 {
            let mut pick = Pick::new(16, rng.fork());
            seen[usize::from(pick.number())] = true;
            let mut hops = 0;
            let mut before = pick.number();
            while pick.hop() {
                assert_ne!(pick.number(), before);
                before = pick.number();
                hops += 1;
            }
            assert_eq!(hops, HOPS);
            pick.rest();
            assert!(pick.hop());
            assert_eq!((0..10).filter(|_| pick.look()).count(), usize::from(MAX_LOOKS));
        }
        assert_eq!(seen, [true; 16]);
        assert!(!pick(1).hop(), "there is no other");
    }

    #[test]
    fn an_item_with_enough_is_chosen_and_pieces_are_gathered_only_if_there_is_none() {
        for _ in 0..20 {
            let mut picked = pick(4);
            assert_eq!(picked.choose(&[1, 5, 0, 6], 5), Choice::Take);
            assert!([1, 3].contains(&picked.number()));
        }
        let mut picked = pick(4);
        assert_eq!(picked.choose(&[1, 5, 0, 6], 12), Choice::Gather(vec![(1, 5), (0, 1)]));
        assert_eq!(picked.number(), 3);
        assert_eq!(picked.choose(&[1, 5, 0, 6], 8), Choice::Gather(vec![(1, 2)]));
        assert_eq!(picked.choose(&[1, 5, 0, 6], 13), Choice::Short(12));
        assert_eq!(picked.choose(&[0, 0, 0, 0], 1), Choice::Short(0));
    }
}
