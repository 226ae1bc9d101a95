//! Free sectors, and which of them are taken next.
//!
//! There is no free list on the disk: what no file and no open upload holds is free. Whole files are
//! laid at the end of the smallest gap that holds them; an upload, whose length nobody knows yet, grows
//! from the start of the largest. So both can go on beside each other without cutting each other up.

use alloc::vec::Vec;

use super::directory::{EXTENTS_MAX, Run};

/// The gaps of a data area.
#[derive(Debug)]
pub(super) struct Space {
    gaps: Vec<Run>,
}

impl Space {
    /// What `taken` leaves of `sectors`.
    pub(super) fn new(sectors: u64, taken: impl Iterator<Item = Run>) -> Self {
        let mut taken: Vec<Run> = taken.collect();
        taken.sort_unstable();
        let mut gaps = Vec::new();
        let mut at: u64 = 0;
        let mut gap = |from: u64, until: u64| {
            let first = u32::try_from(from);
            let length = u32::try_from(until.saturating_sub(from));
            if let (Ok(first), Ok(sectors @ 1..)) = (first, length) {
                gaps.push(Run { first, sectors });
            }
        };
        for run in taken {
            gap(at, u64::from(run.first));
            at = at.max(run.end());
        }
        gap(at, sectors);
        Self { gaps }
    }

    /// Free sectors.
    pub(super) fn sectors(&self) -> u64 {
        self.gaps.iter().map(|gap| u64::from(gap.sectors)).sum()
    }

    /// Runs that hold `sectors`, which must not exceed what is free; `None` if that takes more than
    /// [`EXTENTS_MAX`].
    pub(super) fn take(&self, sectors: u64) -> Option<Vec<Run>> {
        let mut wanted = u32::try_from(sectors).ok()?;
        let mut runs = Vec::new();
        let mut gaps = self.gaps.clone();
        gaps.sort_unstable_by_key(|gap| gap.sectors);
        while wanted > 0 {
            let best = gaps.iter().position(|gap| gap.sectors >= wanted);
            let gap = match best {
                Some(place) => gaps.remove(place),
                None => gaps.pop()?,
            };
            let sectors = gap.sectors.min(wanted);
            let first = gap.first + (gap.sectors - sectors);
            runs.push(Run { first, sectors });
            wanted -= sectors;
        }
        (runs.len() <= EXTENTS_MAX).then_some(runs)
    }

    /// The next run of at most `sectors` for an upload that ends at `end`: right behind it, or at the
    /// start of the largest gap.
    pub(super) fn grow(&self, end: Option<u64>, sectors: u32) -> Option<Run> {
        let behind = self
            .gaps
            .iter()
            .find(|gap| Some(u64::from(gap.first)) == end);
        let gap = behind.or_else(|| self.gaps.iter().max_by_key(|gap| gap.sectors))?;
        Some(Run {
            first: gap.first,
            sectors: gap.sectors.min(sectors),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: u32, sectors: u32) -> Run {
        Run { first, sectors }
    }

    #[test]
    fn what_nobody_holds_is_free() {
        let space = Space::new(100, [run(90, 10), run(0, 5), run(20, 30)].into_iter());
        assert_eq!(space.gaps, [run(5, 15), run(50, 40)]);
        assert_eq!(space.sectors(), 55);
    }

    #[test]
    fn a_file_goes_to_the_end_of_the_smallest_gap_or_into_the_largest_ones() {
        let space = Space::new(100, [run(10, 10), run(50, 10)].into_iter());
        assert_eq!(space.take(10), Some(vec![run(0, 10)]));
        assert_eq!(space.take(30), Some(vec![run(20, 30)]));
        assert_eq!(space.take(45), Some(vec![run(60, 40), run(5, 5)]));
        assert_eq!(space.take(0), Some(vec![]));
    }

    #[test]
    fn more_pieces_than_a_file_may_have_are_refused() {
        let space = Space::new(100, (0..50).map(|index| run(index * 2, 1)));
        assert_eq!(space.take(16).map(|runs| runs.len()), Some(16));
        assert_eq!(space.take(17), None);
    }

    #[test]
    fn an_upload_grows_in_place_while_it_can() {
        let space = Space::new(100, [run(10, 10), run(50, 10)].into_iter());
        assert_eq!(space.grow(Some(20), 8), Some(run(20, 8)));
        assert_eq!(space.grow(Some(50), 99), Some(run(60, 40)));
        assert_eq!(Space::new(5, [run(0, 5)].into_iter()).grow(None, 1), None);
    }
}
