//! The forms of all lists of a policy, within a bound of memory.
//!
//! Only lists that packets are asked about are compiled. A list that did not change keeps its form,
//! so that a change elsewhere in the configuration compiles nothing.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::Ipv6Addr;

use super::compiled::{Compiled, Estimate};
use super::ranked::Ranked;
use super::{Candidate, linear};
use crate::policy::{AccessList, AclId, Action, Policy};
use crate::view::{AccessForm, AccessUsage};

/// Lists up to this long are searched element by element, which is then faster.
const SHORT_LIST: usize = 16;

/// How the lists of a policy are searched.
pub(crate) struct Index {
    forms: Vec<Form>,
    /// Of the IPv6 sides of the same lists; none where they are few, or too many.
    forms6: Vec<Option<Box<Ranked>>>,
    /// Bytes taken by all forms.
    bytes: usize,
    bytes_max: usize,
}

/// A list is searched element by element.
pub(crate) struct NotCompiled;

/// How one list is searched.
#[derive(Debug)]
enum Form {
    /// Element by element: it is short, or no packet is asked about by it.
    Plain,
    /// Element by element: there is not memory enough.
    TooLarge,
    Compiled(Box<Compiled>),
}

impl Index {
    /// No lists; forms will take `bytes_max` bytes at most.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            forms: Vec::new(),
            forms6: Vec::new(),
            bytes: 0,
            bytes_max,
        }
    }

    /// Makes the forms of the lists of `policy`; those that are in `before` already are kept.
    pub(crate) fn rebuild(&mut self, before: &Policy, policy: &Policy) {
        let mut old = core::mem::take(&mut self.forms);
        let places: BTreeMap<&str, usize> = before
            .access_lists
            .iter()
            .enumerate()
            .map(|(place, list)| (list.name.as_str(), place))
            .collect();
        self.forms
            .resize_with(policy.access_lists.len(), || Form::Plain);
        self.bytes = 0;
        // First what can be kept, then what is new, so that the bound holds at every moment.
        let mut new = Vec::new();
        for acl in asked(policy) {
            let place = usize::from(acl.0);
            let (Some(list), Some(form)) =
                (policy.access_lists.get(place), self.forms.get_mut(place))
            else {
                continue;
            };
            if list.elements.len() <= SHORT_LIST || !matches!(form, Form::Plain) {
                continue;
            }
            let kept = places.get(list.name.as_str()).and_then(|&place| {
                let is_same = before.access_lists.get(place)?.elements == list.elements;
                let form = old.get_mut(place).filter(|_| is_same)?;
                match core::mem::replace(form, Form::Plain) {
                    Form::Compiled(compiled) => Some(compiled),
                    Form::Plain | Form::TooLarge => None,
                }
            });
            match kept {
                Some(compiled) => {
                    self.bytes += compiled.bytes();
                    *form = Form::Compiled(compiled);
                }
                None => new.push((list, place)),
            }
        }
        drop(old);
        let new6 = self.keep6(before, policy, &places);
        for (list, place) in new {
            let made = self.compile(list);
            if let Some(form) = self.forms.get_mut(place) {
                *form = made;
            }
        }
        for place in new6 {
            let left = self.bytes_max.saturating_sub(self.bytes);
            let list = policy.access_lists.get(place);
            let own = policy.v6.access.get(place);
            if let (Some(list), Some(own), Some(form)) = (list, own, self.forms6.get_mut(place)) {
                *form = Ranked::new(list, own, left).map(Box::new);
                self.bytes += form.as_ref().map_or(0, |ranked| ranked.bytes());
            }
        }
    }

    /// Keeps the forms of IPv6 sides that did not change; returns the places of those to be made.
    fn keep6(
        &mut self,
        before: &Policy,
        policy: &Policy,
        places: &BTreeMap<&str, usize>,
    ) -> Vec<usize> {
        let mut old = core::mem::take(&mut self.forms6);
        self.forms6.resize_with(policy.access_lists.len(), || None);
        let mut new = Vec::new();
        for acl in asked(policy) {
            let place = usize::from(acl.0);
            let (Some(list), Some(own), Some(form)) = (
                policy.access_lists.get(place),
                policy.v6.access.get(place),
                self.forms6.get_mut(place),
            ) else {
                continue;
            };
            if own.len() <= SHORT_LIST || form.is_some() || new.contains(&place) {
                continue;
            }
            *form = places.get(list.name.as_str()).and_then(|&place| {
                let is_same = before.access_lists.get(place)?.elements == list.elements
                    && before.v6.access.get(place)? == own;
                old.get_mut(place).filter(|_| is_same)?.take()
            });
            match form {
                Some(ranked) => self.bytes += ranked.bytes(),
                None => new.push(place),
            }
        }
        new
    }

    /// Which of the IPv6 sides of list `acl` decides about a packet: `Err` if the list is to be
    /// searched side by side.
    pub(crate) fn decide6(
        &self,
        acl: AclId,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        candidate: &Candidate,
    ) -> Result<Option<usize>, NotCompiled> {
        match self.forms6.get(usize::from(acl.0)) {
            Some(Some(ranked)) => Ok(ranked.decide(source, destination, candidate)),
            _ => Err(NotCompiled),
        }
    }

    /// Compiles every list of `policy`, for benchmarks.
    pub(crate) fn compile_all(&mut self, policy: &Policy) {
        let lists = policy.access_lists.iter();
        let forms: Vec<Form> = lists.map(|list| self.compile(list)).collect();
        self.forms = forms;
    }

    fn compile(&mut self, list: &AccessList) -> Form {
        let estimate = Estimate::of(list);
        let left = self.bytes_max.saturating_sub(self.bytes);
        if estimate.bytes_at_most() > left {
            return Form::TooLarge;
        }
        let compiled = Compiled::new(list, estimate);
        self.bytes += compiled.bytes();
        Form::Compiled(Box::new(compiled))
    }

    /// The element of list `acl` of `policy` (the one that this was built for) that decides about
    /// `candidate`, and what it says.
    pub(crate) fn decide(
        &self,
        policy: &Policy,
        acl: AclId,
        candidate: &Candidate,
    ) -> Option<(usize, Action)> {
        let place = usize::from(acl.0);
        let list = policy.access_lists.get(place)?;
        match self.forms.get(place) {
            Some(Form::Compiled(compiled)) => {
                let index = compiled.first_match(&list.elements, candidate)?;
                Some((index, list.elements.get(index)?.action))
            }
            Some(Form::Plain | Form::TooLarge) | None => linear::decide(list, candidate),
        }
    }

    /// How list `acl` is searched.
    pub(crate) fn form(&self, acl: AclId) -> AccessForm {
        match self.forms.get(usize::from(acl.0)) {
            Some(Form::Compiled(compiled)) => AccessForm::Compiled {
                bytes: compiled.bytes(),
            },
            Some(Form::TooLarge) => AccessForm::TooLarge,
            Some(Form::Plain) | None => AccessForm::Plain,
        }
    }

    /// Memory taken and allowed.
    pub(crate) fn usage(&self) -> AccessUsage {
        let count = |which: fn(&Form) -> bool| self.forms.iter().filter(|form| which(form)).count();
        AccessUsage {
            bytes: self.bytes,
            bytes_max: self.bytes_max,
            compiled: count(|form| matches!(form, Form::Compiled(_))),
            too_large: count(|form| matches!(form, Form::TooLarge)),
        }
    }
}

/// The lists that packets are asked about.
fn asked(policy: &Policy) -> impl Iterator<Item = AclId> {
    let of_interfaces = policy.interfaces.iter().flat_map(|interface| {
        [
            interface.access_in,
            interface.access_out,
            interface.access_control,
        ]
    });
    let of_classes = policy.inspections.iter().map(|class| Some(class.acl));
    of_interfaces
        .chain([policy.access_global])
        .chain(of_classes)
        .flatten()
}
