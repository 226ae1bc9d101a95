//! Reset, power-off and what survives a reset.

/// The machine's power controls.
pub trait Power {
    /// Restarts the machine. On hardware this does not return; a simulator records it and does.
    fn reset(&mut self);

    /// Switches the machine off. On hardware this does not return; a simulator records it and does.
    fn power_off(&mut self);
}
