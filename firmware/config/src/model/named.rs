//! Named things in the order in which they were created, which is the order an ASA prints them in.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;
use core::ops::Index;

/// A map from names to things that keeps the order of creation.
///
/// Every operation on one name takes logarithmic time. Two maps are equal if they hold equal things
/// under equal names in the same order.
#[derive(Clone)]
pub struct Named<T> {
    /// Things by serial number; a serial number is never used twice.
    things: BTreeMap<u64, (String, T)>,
    serials: BTreeMap<String, u64>,
    next_serial: u64,
}

impl<T> Named<T> {
    /// An empty map.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            things: BTreeMap::new(),
            serials: BTreeMap::new(),
            next_serial: 0,
        }
    }

    /// How many things there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.things.len()
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// The thing of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        let serial = self.serials.get(name)?;
        self.things.get(serial).map(|(_, thing)| thing)
    }

    /// The thing of that name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        let serial = self.serials.get(name)?;
        self.things.get_mut(serial).map(|(_, thing)| thing)
    }

    /// Whether there is a thing of that name.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.serials.contains_key(name)
    }

    /// Names and things in order of creation.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &T)> {
        self.things.values().map(|(name, thing)| (name, thing))
    }

    /// Names in order of creation.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.things.values().map(|(name, _)| name)
    }

    /// Things in order of creation.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.things.values().map(|(_, thing)| thing)
    }

    /// Things in order of creation, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.things.values_mut().map(|(_, thing)| thing)
    }

    /// Puts `thing` under `name`: in the place of what had the name, which is returned, or at the end.
    pub fn insert(&mut self, name: String, thing: T) -> Option<T> {
        if let Some(present) = self.get_mut(&name) {
            return Some(core::mem::replace(present, thing));
        }
        let serial = self.next_serial;
        self.next_serial += 1;
        self.serials.insert(name.clone(), serial);
        self.things.insert(serial, (name, thing));
        None
    }

    /// Creates the thing if there is none of that name. Returns whether it did.
    pub(crate) fn make(&mut self, name: &str, thing: impl FnOnce() -> T) -> bool {
        let is_new = !self.contains_key(name);
        if is_new {
            self.insert(name.into(), thing());
        }
        is_new
    }

    /// Takes the thing of that name out.
    pub fn remove(&mut self, name: &str) -> Option<T> {
        let serial = self.serials.remove(name)?;
        self.things.remove(&serial).map(|(_, thing)| thing)
    }

    /// Removes what `keep` does not want.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &T) -> bool) {
        self.things.retain(|_, (name, thing)| keep(name, thing));
        let things = &self.things;
        self.serials.retain(|_, serial| things.contains_key(serial));
    }

    /// Whether both exist and `first` stands before `second`.
    pub(crate) fn is_before(&self, first: &str, second: &str) -> bool {
        match (self.serials.get(first), self.serials.get(second)) {
            (Some(first), Some(second)) => first < second,
            _ => false,
        }
    }

    /// Moves the thing of that name behind all others.
    pub(crate) fn move_to_end(&mut self, name: &str) {
        if let Some((name, serial)) = self.serials.remove_entry(name)
            && let Some((_, thing)) = self.things.remove(&serial)
        {
            self.insert(name, thing);
        }
    }
}

impl<T: Default> Named<T> {
    /// The thing of that name, created if there is none.
    pub(crate) fn get_or_default(&mut self, name: &str) -> &mut T {
        let next = self.next_serial;
        let serial = match self.serials.get(name) {
            Some(serial) => *serial,
            None => {
                self.next_serial += 1;
                self.serials.insert(name.into(), next);
                next
            }
        };
        let (_, thing) = self
            .things
            .entry(serial)
            .or_insert_with(|| (name.into(), T::default()));
        thing
    }
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: PartialEq> PartialEq for Named<T> {
    fn eq(&self, other: &Self) -> bool {
        self.things.values().eq(other.things.values())
    }
}

impl<T: Eq> Eq for Named<T> {}

impl<T: fmt::Debug> fmt::Debug for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Panics if there is nothing of that name, as the maps of the standard library do.
impl<T> Index<&str> for Named<T> {
    type Output = T;

    fn index(&self, name: &str) -> &T {
        self.get(name).expect("there is a thing of that name")
    }
}

impl<'a, T> IntoIterator for &'a Named<T> {
    type Item = (&'a String, &'a T);
    type IntoIter = core::iter::Map<
        alloc::collections::btree_map::Values<'a, u64, (String, T)>,
        fn(&'a (String, T)) -> (&'a String, &'a T),
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.things.values().map(|(name, thing)| (name, thing))
    }
}

impl<T> FromIterator<(String, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(things: I) -> Self {
        let mut named = Self::new();
        for (name, thing) in things {
            named.insert(name, thing);
        }
        named
    }
}

#[cfg(test)]
mod tests {
    use super::Named;

    fn named(names: &[&str]) -> Named<usize> {
        let numbered = names.iter().enumerate();
        numbered.map(|(at, name)| ((*name).into(), at)).collect()
    }

    fn order(named: &Named<usize>) -> Vec<&str> {
        named.keys().map(String::as_str).collect()
    }

    #[test]
    fn names_stand_in_order_of_creation_and_are_found() {
        let mut things = named(&["b", "a", "c"]);
        assert_eq!(order(&things), ["b", "a", "c"]);
        assert_eq!((things["a"], things.get("d")), (1, None));
        assert_eq!(things.insert("b".into(), 9), Some(0));
        assert!(!things.make("c", || 7) && things.make("d", || 7));
        assert_eq!(order(&things), ["b", "a", "c", "d"]);
        assert_eq!(things.remove("a"), Some(1));
        assert_eq!(*things.get_or_default("a"), 0);
        assert_eq!(order(&things), ["b", "c", "d", "a"]);
        assert!(things.is_before("b", "a") && !things.is_before("b", "x"));
        things.move_to_end("b");
        things.retain(|name, _| name != "d");
        assert_eq!(order(&things), ["c", "a", "b"]);
        assert_eq!(things.len(), 3);
        assert!(!things.contains_key("d"));
    }

    #[test]
    fn the_order_counts_and_the_history_does_not() {
        let mut things = named(&["x", "a", "b"]);
        things.remove("x");
        assert_eq!(
            things,
            [("a".into(), 1), ("b".into(), 2)].into_iter().collect()
        );
        assert_ne!(
            things,
            [("b".into(), 2), ("a".into(), 1)].into_iter().collect()
        );
    }
}
