//! Tests of the whole crate; the calendar is checked against jiff, an independent implementation.
