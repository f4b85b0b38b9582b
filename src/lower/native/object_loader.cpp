#include "lower/native/object_loader.h"

#include <elf.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace grapnel::lower::native {
namespace {

constexpr size_t kMostSections = 256;
constexpr size_t kMostMemory = size_t{64} << 20;

Error damaged(const std::string& what) {
  return Error{ErrorKind::internal, "a compiled object cannot be loaded: " + what, ""};
}

/// The object's tables, with every offset checked against its size.
class Image {
 public:
  explicit Image(std::string_view bytes) : bytes_(bytes) {}

  /// Reads the header and the section table; false if they are not ours.
  bool open() {
    Elf64_Ehdr header;
    if (!read(0, header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64 ||
        header.e_type != ET_REL || header.e_shnum > kMostSections)
      return false;
    return read_table(header.e_shoff, header.e_shnum, sections_);
  }
  template <typename T>
  bool read(uint64_t offset, T& value) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof value) return false;
    memcpy(&value, bytes_.data() + offset, sizeof value);
    return true;
  }
  template <typename T>
  bool read_table(uint64_t offset, uint64_t count, std::vector<T>& table) const {
    if (offset > bytes_.size() || (bytes_.size() - offset) / sizeof(T) < count) return false;
    table.resize(count);
    if (count != 0) memcpy(table.data(), bytes_.data() + offset, count * sizeof(T));
    return true;
  }
  template <typename T>
  bool read_section(const Elf64_Shdr& section, std::vector<T>& table) const {
    return read_table(section.sh_offset, section.sh_size / sizeof(T), table);
  }
  [[nodiscard]] const std::vector<Elf64_Shdr>& sections() const { return sections_; }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  std::string_view bytes_;
  std::vector<Elf64_Shdr> sections_;
};

/// Where each allocated section lies in the memory; SIZE_MAX for the others.
bool place_sections(const Image& image, std::vector<size_t>& places, size_t& total) {
  total = 0;
  for (const Elf64_Shdr& section : image.sections()) {
    places.push_back(SIZE_MAX);
    if ((section.sh_flags & SHF_ALLOC) == 0) continue;
    const uint64_t alignment = section.sh_addralign == 0 ? 1 : section.sh_addralign;
    if (alignment > 4096 || (alignment & (alignment - 1)) != 0 || section.sh_size > kMostMemory ||
        (section.sh_flags & SHF_WRITE) != 0)
      return false;
    total = (total + alignment - 1) & ~(alignment - 1);
    places.back() = total;
    total += section.sh_size;
    if (total > kMostMemory) return false;
  }
  return total != 0;
}

bool copy_sections(const Image& image, const std::vector<size_t>& places, char* memory) {
  for (size_t i = 0; i < places.size(); i++) {
    const Elf64_Shdr& section = image.sections()[i];
    if (places[i] == SIZE_MAX || section.sh_type == SHT_NOBITS) continue;
    std::vector<char> content;
    if (!image.read_section(section, content)) return false;
    if (!content.empty()) memcpy(memory + places[i], content.data(), content.size());
  }
  return true;
}

/// Applies the relocations of one section. Empty on success.
std::string relocate(const Image& image, const Elf64_Shdr& relocations,
                     const std::vector<size_t>& places, char* memory) {
  if (relocations.sh_info >= places.size() || relocations.sh_link >= places.size())
    return "a relocation section names no section";
  const size_t target = places[relocations.sh_info];
  if (target == SIZE_MAX) return {};
  std::vector<Elf64_Rela> entries;
  std::vector<Elf64_Sym> symbols;
  if (!image.read_section(relocations, entries) ||
      !image.read_section(image.sections()[relocations.sh_link], symbols))
    return "it is cut off";
  const uint64_t target_size = image.sections()[relocations.sh_info].sh_size;
  for (const Elf64_Rela& entry : entries) {
    const size_t number = ELF64_R_SYM(entry.r_info);
    const auto type = ELF64_R_TYPE(entry.r_info);
    if (number >= symbols.size()) return "a relocation names no symbol";
    const size_t section = symbols[number].st_shndx;
    if (section == SHN_UNDEF || section >= places.size() || places[section] == SIZE_MAX)
      return "it refers to something outside of itself";
    const bool is_wide = type == R_X86_64_64;
    if (target_size < (is_wide ? 8u : 4u) || entry.r_offset > target_size - (is_wide ? 8 : 4))
      return "a relocation lies outside of its section";
    char* place = memory + target + entry.r_offset;
    const uint64_t value = reinterpret_cast<uint64_t>(memory) + places[section] +
                           symbols[number].st_value + static_cast<uint64_t>(entry.r_addend);
    if (is_wide) {
      memcpy(place, &value, sizeof value);
    } else if (type == R_X86_64_PC32 || type == R_X86_64_PLT32) {
      const auto distance = static_cast<uint32_t>(value - reinterpret_cast<uint64_t>(place));
      memcpy(place, &distance, sizeof distance);
    } else {
      return "relocation type " + std::to_string(type) + " is not known";
    }
  }
  return {};
}

/// Address of a defined symbol, or nullptr.
const void* find_symbol(const Image& image, std::string_view name,
                        const std::vector<size_t>& places, const char* memory) {
  for (const Elf64_Shdr& section : image.sections()) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= places.size()) continue;
    std::vector<Elf64_Sym> symbols;
    std::vector<char> names;
    if (!image.read_section(section, symbols) ||
        !image.read_section(image.sections()[section.sh_link], names))
      return nullptr;
    for (const Elf64_Sym& symbol : symbols) {
      if (symbol.st_shndx >= places.size() || places[symbol.st_shndx] == SIZE_MAX) continue;
      if (symbol.st_name >= names.size() || names.size() - symbol.st_name <= name.size()) continue;
      if (std::string_view(names.data() + symbol.st_name, name.size()) != name ||
          names[symbol.st_name + name.size()] != '\0')
        continue;
      if (symbol.st_value >= image.sections()[symbol.st_shndx].sh_size) return nullptr;
      return memory + places[symbol.st_shndx] + symbol.st_value;
    }
  }
  return nullptr;
}

}  // namespace

Result<std::shared_ptr<const LoadedObject>> LoadedObject::load(std::string_view bytes,
                                                               std::string_view entry) {
  Image image(bytes);
  std::vector<size_t> places;
  size_t size = 0;
  if (!image.open() || !place_sections(image, places, size))
    return damaged("it is no relocatable x86-64 object of ours");
  void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return Error::system("no memory for compiled code", errno);
  auto* memory = static_cast<char*>(mapped);
  std::shared_ptr<LoadedObject> loaded(new LoadedObject(memory, size));
  if (!copy_sections(image, places, memory)) return damaged("it is cut off");
  for (const Elf64_Shdr& section : image.sections()) {
    if (section.sh_type != SHT_RELA) continue;
    if (std::string problem = relocate(image, section, places, memory); !problem.empty())
      return damaged(problem);
  }
  loaded->entry_ = find_symbol(image, entry, places, memory);
  if (loaded->entry_ == nullptr) return damaged("it lacks " + std::string(entry));
  if (::mprotect(memory, size, PROT_READ | PROT_EXEC) != 0)
    return Error::system(
        "compiled code cannot be made executable", errno,
        "a security policy may forbid it; GRAPNEL_NATIVE=interpreter does without");
  return std::shared_ptr<const LoadedObject>(std::move(loaded));
}

LoadedObject::~LoadedObject() { ::munmap(memory_, size_); }

}  // namespace grapnel::lower::native
