//! What operators offer, Kubernetes versions and templates: what is wrong with it, by key, and what is to be known before it is saved. Pure.

use crate::codes::Code;
use crate::installation::{Installation, is_name, violation};
use crate::installation_checks::{Seen, not_compared};
use crate::preflight::{Check, CheckLevel, Facts, FlavorFact, blocked, offers, version_image};
use crate::requests::{FlavorSize, Offers, Violation, complete, violations};
use crate::templates::Template;
use crate::versions::{CatalogueVersion, KubernetesVersion, Support};
use serde_json::json;

/// Versions, or templates, that there may be at most.
const MOST: usize = 100;

/// Whatever is wrong with a list, the rest of it is looked at, too.
pub(crate) fn wrong_offers(versions: &[CatalogueVersion], templates: &[Template]) -> Vec<Violation> {
    let mut found = Vec::new();
    if versions.is_empty() {
        found.push(violation("versions", "must offer at least one Kubernetes version"));
    }
    for (key, count) in [("versions", versions.len()), ("templates", templates.len())] {
        if count > MOST {
            found.push(violation(key, format!("must be at most {MOST}")));
        }
    }
    for (index, version) in versions.iter().enumerate() {
        let twice = versions[..index].iter().any(|other| other.version == version.version);
        found.extend(wrong_version(version, twice).map(|(part, message)| violation(&format!("versions[{index}].{part}"), message)));
    }
    for (index, template) in templates.iter().enumerate() {
        let twice = templates[..index].iter().any(|other| other.id == template.id);
        found.extend(wrong_template(template, twice, versions).map(|(part, message)| violation(&format!("templates[{index}].{part}"), message)));
    }
    found
}

/// (field, what is wrong with it)
fn wrong_version(version: &CatalogueVersion, twice: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    let release = version.version.parse::<KubernetesVersion>();
    let form = release.is_ok_and(|release| release.to_string() == version.version);
    let found = [
        (!form).then_some(("version", "must have the form v1.36.3")),
        twice.then_some(("version", "is there twice")),
        (!is_name(&version.image, 255)).then_some(("image", "must be 1 to 255 printable characters")),
    ];
    found.into_iter().flatten()
}

/// (field, what is wrong with it)
fn wrong_template(template: &Template, twice: bool, versions: &[CatalogueVersion]) -> impl Iterator<Item = (&'static str, &'static str)> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let id = !template.id.is_empty() && template.id.bytes().all(plain);
    let unknown = template.spec.version.as_ref().is_some_and(|wanted| !versions.iter().any(|version| version.version == *wanted));
    let found = [
        (!id).then_some(("id", "must be of a-z, 0-9 and -")),
        twice.then_some(("id", "is there twice")),
        template.own.then_some(("own", "must be false: only projects keep templates of their own")),
        unknown.then_some(("spec.version", "is not among versions")),
    ];
    found.into_iter().flatten()
}

/// Versions that would be gone although clusters have them, and images that nodes would not boot from.
pub(crate) fn version_checks(before: &Installation, after: &Installation, seen: &Seen) -> Vec<Check> {
    if before.versions == after.versions {
        return Vec::new();
    }
    let gone = before.versions.iter().filter(|old| !after.versions.iter().any(|new| new.version == old.version));
    let used = gone.filter_map(|old| {
        let over = seen.clusters.iter().filter(|spec| spec.version == old.version).count();
        let params = json!({ "version": old.version, "over": over });
        // New nodes of theirs would have no image.
        (over > 0).then(|| blocked(Code::VersionInUse, format!("{over} clusters have {}", old.version), Some("versions".to_owned()), &params))
    });
    let Some(offered) = &seen.offered else { return used.chain([not_compared("versions")]).collect() };
    let new = after.versions.iter().enumerate().filter(|(_, version)| !before.versions.contains(version));
    let images = new.filter_map(|(index, version)| {
        let check = version_image(&version.version, &version.image, false, offered, format!("versions[{index}].image"))?;
        Some(Check { level: CheckLevel::Warning, ..check })
    });
    used.chain(images).collect()
}

/// Templates of which no cluster can be made, whatever the cloud offers; and those that name what is not there, which may come yet.
pub(crate) fn template_checks(before: &Installation, after: &Installation, seen: &Seen) -> Vec<Check> {
    let new = before.templates != after.templates;
    if !new && before.versions == after.versions {
        return Vec::new();
    }
    let all = || after.templates.iter().enumerate();
    let limits = after.spec_limits();
    let broken = all().filter(|_| new).flat_map(|(index, template)| {
        let found = violations("template", &complete(&template.spec, &anything()), &limits);
        let check = move |v: Violation| of_template(index, template, CheckLevel::Blocked, blocked(v.code, v.message, Some(v.field), &json!({})));
        found.into_iter().map(check)
    });
    let Some(offered) = &seen.offered else { return broken.chain(new.then(|| not_compared("templates"))).collect() };
    let facts = Facts { versions: after.versions.clone(), ..offered.clone() };
    let choices = choices(&facts);
    let absent = all().flat_map(|(index, template)| {
        let found = offers(&complete(&template.spec, &choices), &facts);
        // A version's own image is the version's matter, and what is said without a field the cloud's.
        let own = |check: &Check| check.field.as_deref().is_some_and(|field| check.key != "image" || field != "spec.version");
        let found = found.into_iter().filter(move |check| check.level == CheckLevel::Blocked && own(check));
        found.map(move |check| of_template(index, template, CheckLevel::Warning, check))
    });
    broken.chain(absent).collect()
}

/// A check of what would be made of a template, as one of the template.
fn of_template(index: usize, template: &Template, level: CheckLevel, check: Check) -> Check {
    let mut params = check.params;
    params.insert("template".to_owned(), json!(template.id));
    let field = check.field.map(|field| format!("templates[{index}].{field}"));
    Check { key: String::new(), level, field, params, ..check }
}

/// What a cluster of a template gets where the template leaves the choice.
fn choices(facts: &Facts) -> Offers {
    let flavor = |flavor: &FlavorFact| FlavorSize { name: flavor.name.clone(), vcpus: flavor.vcpus, ram_mib: flavor.ram_mib };
    Offers {
        flavors: facts.flavors.iter().map(flavor).collect(),
        external_networks: facts.external_networks.clone(),
        versions: facts.versions.clone(),
    }
}

/// A cloud in which every choice can be made: what is broken then is the template.
fn anything() -> Offers {
    let any = || "any".to_owned();
    let version = CatalogueVersion { version: "v1.0.0".to_owned(), support: Support::Current, image: any() };
    let flavors = vec![FlavorSize { name: any(), vcpus: u32::MAX, ram_mib: u32::MAX }];
    Offers { flavors, external_networks: vec![any()], versions: vec![version] }
}
