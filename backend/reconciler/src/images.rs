//! What servers are made from, by name: the flavor, and the node image.

use crate::act::local_fault;
use crate::world::World;
use cloud::Cloud;
use cloud::compute::Flavor;
use domain::changes::Work;
use domain::codes::Code;
use domain::nodes::Fault;

impl World<'_> {
    /// The flavor of this name.
    pub(crate) async fn flavor(&self, cloud: &Cloud, name: &str) -> Result<Flavor, Fault> {
        let flavors = cloud.compute.flavors().await.map_err(|e| e.fault(name))?;
        flavors.into_iter().find(|f| f.name == name).ok_or_else(|| local_fault(Code::FlavorMissing, format!("there is no flavor {name}"), name))
    }

    /// Id of the image a pool's nodes boot: one of its own, or the version's.
    pub(crate) async fn image_of(&self, cloud: &Cloud, work: &Work, own: Option<&str>) -> Result<String, Fault> {
        let version = &work.cluster.spec.version;
        let Some(name) = own else { return self.image(cloud, version).await };
        let images = cloud.images.images_by_name(name).await.map_err(|e| e.fault(name))?;
        let of_version = |i: &&cloud::images::Image| i.properties.get(domain::versions::IMAGE_PROPERTY) == Some(version);
        match images.iter().filter(of_version).collect::<Vec<_>>().as_slice() {
            [] => Err(local_fault(Code::ImageMismatch, format!("no image named {name} holds {version}"), name)),
            [image] if image.status == "active" => Ok(image.id.clone()),
            [image] => Err(local_fault(Code::ImageNotReady, format!("image {name} is {}", image.status), name)),
            several => Err(local_fault(Code::Ambiguous, format!("{} images are named {name}", several.len()), name)),
        }
    }

    /// Id of the node image for the cluster's version, ready to boot.
    async fn image(&self, cloud: &Cloud, version: &str) -> Result<String, Fault> {
        let entry = self.services.versions.iter().find(|v| v.version == version);
        let name =
            entry.map(|v| v.image.as_str()).ok_or_else(|| local_fault(Code::ImageMissing, format!("version {version} is not offered"), version))?;
        let images = cloud.images.images_by_name(name).await.map_err(|e| e.fault(name))?;
        match images.as_slice() {
            [] => Err(local_fault(Code::ImageMissing, format!("there is no image named {name}"), name)),
            [image] if image.status == "active" => Ok(image.id.clone()),
            [image] => Err(local_fault(Code::ImageNotReady, format!("image {name} is {}", image.status), name)),
            _ => Err(local_fault(Code::Ambiguous, format!("{} images are named {name}", images.len()), name)),
        }
    }
}
