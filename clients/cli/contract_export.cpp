#include "clients/cli/contract_export.hpp"

#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "clients/cli/failure.hpp"
#include "clients/cli/local_file.hpp"

namespace continuo::cli {
namespace {

namespace fs = std::filesystem;

Failure in_the_way(const fs::path& path) {
  return {kCannotCreate, "ALREADY_EXISTS", path.string(),
          "'" + path.string() + "' is there with other content; export into an empty folder"};
}

/// A regular file of exactly this content. False: nothing is there.
bool is_there(const fs::path& path, std::string_view content) {
  std::error_code error;
  const fs::file_status link = fs::symlink_status(path, error);
  if (link.type() == fs::file_type::not_found) return false;
  if (!fs::is_regular_file(path, error) || fs::file_size(path, error) != content.size() || error ||
      read_file(path.string(), content.size()) != content) {
    throw in_the_way(path);
  }
  return true;
}

/// What this export made, taken away again unless kept.
class Made {
 public:
  Made() = default;
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;
  ~Made() {
    std::error_code ignored;  // a folder that somebody else uses by now is not empty, and stays
    for (auto path = paths_.rbegin(); path != paths_.rend(); ++path) fs::remove(*path, ignored);
  }
  void add(fs::path path) { paths_.push_back(std::move(path)); }
  void keep() { paths_.clear(); }

  void make_folder(const fs::path& folder) {
    std::error_code error;
    if (folder.empty() || fs::is_directory(folder, error)) return;
    if (folder.has_parent_path() && folder.parent_path() != folder) make_folder(folder.parent_path());
    if (fs::create_directory(folder, error)) return add(folder);
    if (error) {  // none where somebody was faster
      const bool disk = error == std::errc::no_space_on_device || error == std::errc::io_error;
      throw Failure(disk ? kIoError : kCannotCreate, "WRITE_FAILED", folder.string(),
                    "cannot create the folder '" + folder.string() + "': " + error.message());
    }
  }

 private:
  std::vector<fs::path> paths_;
};

}  // namespace

void export_contract(const fs::path& folder, std::span<const ContractFile> files) {
  Made made;
  struct Fresh {
    fs::path path;
    const ContractFile* file;
    std::unique_ptr<NewFile> content;
  };
  std::vector<Fresh> fresh;
  for (const ContractFile& file : files) {
    const fs::path path = folder / file.name;
    if (!is_there(path, file.content)) fresh.push_back({path, &file, nullptr});
  }
  made.make_folder(folder);
  for (Fresh& one : fresh) {
    made.make_folder(one.path.parent_path());
    one.content = std::make_unique<NewFile>(one.path, false);
    one.content->write(one.file->content);
  }
  for (Fresh& one : fresh) {
    try {
      one.content->publish();
      made.add(one.path);
    } catch (const Failure& failure) {
      // Another export may have been faster: then all is well.
      if (failure.reason != "ALREADY_EXISTS" || !is_there(one.path, one.file->content)) throw;
    }
  }
  made.keep();
}

}  // namespace continuo::cli
