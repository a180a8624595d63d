//! stub
use crate::channel::Channel;
#[derive(Clone, Debug)]
pub struct Reads {
    channel: Channel,
}
impl Reads {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel }
    }
}
